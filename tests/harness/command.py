# SPDX-License-Identifier: MIT
"""The command `sandbox` as a process of its own, in the test's store."""

from __future__ import annotations

import os
import pathlib
import subprocess
import sys
from dataclasses import dataclass, field

ROOT = pathlib.Path(__file__).resolve().parents[2]


@dataclass(frozen=True)
class Sandbox:
    """Runs `sandbox` with a store. Every call has a time limit."""

    store: pathlib.Path
    environ: dict[str, str] = field(default_factory=dict)

    def environment(self) -> dict[str, str]:
        """Return the environment of the command: the test's, with the store and the checkout."""
        paths = [str(ROOT), os.environ.get("PYTHONPATH", "")]
        return {
            **os.environ,
            "SANDBOX_ROOT": str(self.store),
            "PYTHONPATH": ":".join(filter(None, paths)),
            **self.environ,
        }

    def argv(self, *arguments: str | os.PathLike[str]) -> list[str]:
        """Return the command line, for tests that start it themselves (in a terminal, say)."""
        return [sys.executable, "-m", "sandbox", *map(os.fspath, arguments)]

    def call(
        self,
        *arguments: str | os.PathLike[str],
        stdin: bytes | None = None,
        timeout: float = 200,
    ) -> subprocess.CompletedProcess[bytes]:
        """Run the command and return the result, whatever it is."""
        source = {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}
        return subprocess.run(
            self.argv(*arguments),
            env=self.environment(),
            capture_output=True,
            timeout=timeout,
            check=False,
            **source,
        )

    def ok(
        self,
        *arguments: str | os.PathLike[str],
        stdin: bytes | None = None,
        timeout: float = 200,
    ) -> str:
        """Run the command, which must succeed, and return its standard output."""
        done = self.call(*arguments, stdin=stdin, timeout=timeout)
        assert done.returncode == 0, (
            f"exit {done.returncode}: {arguments}\n"
            f"{done.stdout.decode(errors='replace')}{done.stderr.decode(errors='replace')}"
        )
        return done.stdout.decode("utf-8", "surrogateescape")

    def host(self, *command: str, timeout: float = 200) -> str:
        """Run a program in a throwaway container of the image `host`."""
        return self.ok("run", "--rm", "host", *command, timeout=timeout)
