# SPDX-License-Identifier: MIT
"""Measure answers of the networks' name server, beside a bare echo over UDP.

    python -m bench.names [ROUNDS [CONTAINERS]]

programs/asks.c asks in a container, in turn with the echo. CONTAINERS others are idle on the
same network.
"""

from __future__ import annotations

import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

from bench.network import PROGRAMS, output, print_line, sandbox

LIMIT = 1000.0  # microseconds


def main() -> None:
    """Print the medians and their ratios to the echo."""
    rounds = sys.argv[1] if len(sys.argv) > 1 else "2000"
    others = int(sys.argv[2]) if len(sys.argv) > 2 else 1
    with tempfile.TemporaryDirectory(prefix="sandbox-bench-") as name, ExitStack() as stack:
        os.environ["SANDBOX_ROOT"] = f"{name}/store"
        program = Path(name, "asks")
        output(["gcc", "-O2", "-o", str(program), str(PROGRAMS / "asks.c")])
        output(sandbox("network", "create", "bench"))
        for number in range(others):
            box = f"idle{number}"
            output(
                sandbox("run", "-d", "--name", box, "--network", "bench", "host", "sleep", "900")
            )
            stack.callback(output, sandbox("rm", "-f", box))
        flags = ("run", "--rm", "--network", "bench", "-v", f"{program}:/asks")
        found = output(sandbox(*flags, "host", "/asks", "idle0", rounds)).split()
        echo, again, fresh = map(float, found)
        print_line(f"an echo over UDP          {echo:7.1f} µs")
        for title, value in (("an answer, same socket", again), ("an answer, new socket", fresh)):
            mark = "" if value < LIMIT else "  missed"
            print_line(f"{title:<25} {value:7.1f} µs  {value / echo:5.1f} times{mark}")


if __name__ == "__main__":
    main()
