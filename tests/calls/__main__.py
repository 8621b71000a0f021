# SPDX-License-Identifier: MIT
"""Play random programs for a time: `python -m tests.calls SECONDS [PLACE...]`, as root.

Prints every program that the kernel and a container answer differently, as short as it can be
made, and exits with 1 if there was one. With `record FILE SEED...` it writes what the kernel
answers to the programs of these seeds, for tests/guest/machines/test_random_calls.py; a seed may
also be a file that holds a program.
"""

from __future__ import annotations

import json
import os
import pathlib
import random
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

from tests.calls.accept import difference
from tests.calls.make import Maker
from tests.calls.play import BATCH, NOBODY, PLACES, Container, Kernel, layer
from tests.harness.cbuild import BUILDS, build_guest_program
from tests.harness.command import Sandbox

AS_USER = (
    "setpriv",
    f"--reuid={NOBODY}",
    f"--regid={NOBODY}",
    "--clear-groups",
    "--bounding-set=-all",
    "--no-new-privs",
)
Both = tuple[Kernel, Container]


def prepare(folder: pathlib.Path) -> Both:
    """Return both players."""
    player = build_guest_program("calls", *BUILDS["static"])
    archive = layer(player)
    (folder / "image.tar").write_bytes(archive)
    home = folder / "home"
    home.mkdir()
    os.chown(home, NOBODY, NOBODY)
    folder.chmod(0o755)
    sandbox = Sandbox(home / "store", {"HOME": str(home), "XDG_RUNTIME_DIR": ""})
    container = Container(sandbox, home / "bind", AS_USER)
    container.command("import", str(folder / "image.tar"), "calls")
    return Kernel(folder / "kernel", archive), container


def differing(both: Both, programs: Sequence[list[str]], place: str) -> list[str]:
    """Return for each program what differs; empty where nothing does."""
    kernel, container = both
    right = kernel.play(programs, place)
    found = container.play(programs, place)
    found += [["the container ended"]] * (len(right) - len(found))
    return [difference(a, b) for a, b in zip(right, found, strict=False)]


def shrink(both: Both, program: list[str], place: str) -> list[str]:
    """Return a shorter program that still differs, as short as removing calls makes it."""
    size = max(1, len(program) // 2)
    while size >= 1:
        starts = range(0, len(program), size)
        tries = [program[:at] + program[at + size :] for at in starts][:BATCH]
        for shorter, wrong in zip(tries, differing(both, tries, place), strict=False):
            if wrong and shorter:
                program = shorter
                break
        else:
            size //= 2
        size = min(size, len(program) // 2 or size)
    return program


def hunt(both: Both, seconds: float, places: Sequence[str]) -> int:
    """Play new programs until the time is over. Returns how many differ."""
    end = time.monotonic() + seconds
    first = random.randrange(1 << 40)
    failures = played = 0
    while time.monotonic() < end:
        for place in places:
            seeds = range(first, first + BATCH)
            first += BATCH
            programs = [Maker(seed).program() for seed in seeds]
            for seed, program, wrong in zip(
                seeds, programs, differing(both, programs, place), strict=True
            ):
                if wrong:
                    failures += 1
                    short = shrink(both, program, place)
                    (wrong,) = differing(both, [short], place)
                    print(f"--- {place}, seed {seed}", *short, wrong, sep="\n", flush=True)
            played += BATCH
    print(f"{played} programs, {failures} differ")
    return failures


def record(both: Both, file: pathlib.Path, sources: Sequence[str]) -> None:
    """Write the kernel's answers."""
    programs = [
        Maker(int(source)).program() if source.isdigit() else part.splitlines()
        for source in sources
        for part in ([""] if source.isdigit() else pathlib.Path(source).read_text().split("\n\n"))
    ]
    answers = {kind: both[0].play(programs, kind) for kind in ("tree", "tmpfs")}
    rows = [
        {"program": program, "tree": tree, "plain": plain}
        for program, tree, plain in zip(programs, answers["tree"], answers["tmpfs"], strict=True)
    ]
    file.write_text(json.dumps(rows, indent=0) + "\n")


def main(arguments: list[str]) -> int:
    """Do what the arguments say."""
    if os.getuid() != 0 or not arguments or shutil.which("setpriv") is None:
        print(__doc__)
        return 2
    with tempfile.TemporaryDirectory(prefix="calls-", dir="/var/tmp") as name:
        folder = pathlib.Path(name)
        try:
            both = prepare(folder)
            if arguments[0] == "record":
                record(both, pathlib.Path(arguments[1]), arguments[2:])
                return 0
            return 1 if hunt(both, float(arguments[0]), arguments[1:] or PLACES[:4]) else 0
        finally:
            subprocess.run(["chmod", "-R", "u+rwX", name], check=False)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
