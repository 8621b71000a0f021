# SPDX-License-Identifier: MIT
"""What the kernel's fence costs: the same calls with it and without it, in turns.

``python -m bench.fence`` prints a table; `programs/fence.c` has the loops. Without the fence a
container has no Landlock, and its filter does not look at what the runtime itself asks
(SANDBOX_TEST_UNFENCED). There is a table for each part alone, and one for both.
"""

from __future__ import annotations

import io
import os
import statistics
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

PROGRAM = Path(__file__).parent / "programs" / "fence.c"
ROUNDS, BATCHES = 9, 10
# The parts of the fence, and how to leave one out.
PARTS = {"Landlock": "landlock", "the filter's rules": "filter", "the fence": "1"}
# No call that names no file, socket or process may cost more, in nanoseconds.
ALLOWED = 15
NAMES_NOTHING = ("getpid", "futex", "pread")

Figures = dict[str, float]


def prepare(folder: Path, command: list[str], environ: dict[str, str]) -> None:
    """Import an image that holds the program alone."""
    program = folder / "fence"
    subprocess.run(["gcc", "-O2", "-static", str(PROGRAM), "-o", str(program)], check=True)
    archive = folder / "image.tar"
    with tarfile.open(archive, "w") as tar:
        tar.add(program, "fence")
        for name in ("tmp", "dev"):
            member = tarfile.TarInfo(name)
            member.type, member.mode = tarfile.DIRTYPE, 0o1777
            tar.addfile(member, io.BytesIO())
    subprocess.run([*command, "import", str(archive), "fence"], env=environ, check=True)


def measure(command: list[str], environ: dict[str, str], network: str) -> Figures:
    """Run the program once in a container and return the nanoseconds of each call."""
    words = ["run", "--rm", "--network", network, "fence", "/fence", str(BATCHES)]
    done = subprocess.run([*command, *words], env=environ, check=True, capture_output=True)
    lines = [line.split() for line in done.stdout.decode().splitlines()]
    return {name: float(nanoseconds) for name, nanoseconds in lines}


def table(rounds: list[tuple[Figures, Figures]]) -> list[str]:
    """Return a line for each call: without, with, and the median difference of the rounds.

    >>> table([({"getpid": 100.0}, {"getpid": 130.0})])
    ['getpid             100 ns     130 ns       +30 ns  more than 15 ns']
    """
    lines = []
    for name in rounds[0][0]:
        off = statistics.median(without[name] for without, _ in rounds)
        on = statistics.median(fenced[name] for _, fenced in rounds)
        more = statistics.median(fenced[name] - without[name] for without, fenced in rounds)
        line = f"{name:12}{off:10.0f} ns{on:8.0f} ns{more:+10.0f} ns"
        if name in NAMES_NOTHING and more > ALLOWED:
            line += f"  more than {ALLOWED} ns"
        lines.append(line)
    return lines


def main() -> None:
    """Measure with a network and without one."""
    command = [sys.executable, "-m", "sandbox"]
    with tempfile.TemporaryDirectory() as name:
        environ = {**os.environ, "SANDBOX_ROOT": f"{name}/store"}
        prepare(Path(name), command, environ)
        for network in ("bridge", "none"):
            rounds: dict[str, list[tuple[Figures, Figures]]] = {part: [] for part in PARTS}
            for _ in range(ROUNDS):
                fenced = measure(command, environ, network)
                for part, found in rounds.items():
                    without = {**environ, "SANDBOX_TEST_UNFENCED": PARTS[part]}
                    found.append((measure(command, without, network), fenced))
            for part, found in rounds.items():
                title = f"--network {network}, {part}: without it, with it, difference"
                sys.stdout.write("\n".join([title, *table(found), ""]))
                sys.stdout.flush()


if __name__ == "__main__":
    main()
