# SPDX-License-Identifier: MIT
"""Many containers at once, started fast.

    python -m tests.harness.crowd NETWORK COUNT PROGRAM

runs `sandbox run --rm --name member-N --network NETWORK host PROGRAM member-N` COUNT times
at once. Each container has the whole command in a process of its own; the processes are forks
of one interpreter, so only one of them imports the modules. All end with standard input.
"""

from __future__ import annotations

import contextlib
import gc
import os
import signal
import subprocess
import sys
from collections.abc import Iterator

from sandbox.cli.main import main as command
from tests.harness.command import ROOT, Sandbox


@contextlib.contextmanager
def crowd(sandbox: Sandbox, network: str, count: int, program: str) -> Iterator[None]:
    """Run the containers until the block ends; when it begins, some may not have started."""
    words = [sys.executable, "-m", "tests.harness.crowd", network, str(count), program]
    process = subprocess.Popen(
        words, env=sandbox.environment(), stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, cwd=ROOT
    )
    assert process.stdin is not None
    try:
        yield
    finally:
        process.stdin.close()
        assert process.wait(200) == 0


def _member(words: list[str]) -> None:
    os.setsid()
    null = os.open(os.devnull, os.O_RDWR)
    os.dup2(null, 0)
    os._exit(command(words))


def main() -> None:
    """Start the containers; see the top of this file."""
    network, count, program = sys.argv[1:]
    flags = ["run", "--rm", "--network", network, "--name"]
    if command([*flags, "member-warm", "host", "true"]) != 0:  # imports every module
        raise SystemExit(1)
    gc.freeze()
    pids = []
    for number in range(int(count)):
        name = f"member-{number}"
        pid = os.fork()
        if pid == 0:
            _member([*flags, name, "host", program, name])
        pids.append(pid)
    sys.stdin.read()
    for pid in pids:
        os.kill(pid, signal.SIGTERM)
    ends = [os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]) for pid in pids]
    sys.exit(0 if set(ends) == {128 + signal.SIGTERM} else f"ended with {sorted(set(ends))}")


if __name__ == "__main__":
    main()
