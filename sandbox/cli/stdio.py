# SPDX-License-Identifier: MIT
"""The standard streams of the command's own process.

Rules: descriptors 0 to 2 always exist. A descriptor that the caller closed becomes
/dev/null, because a file of the store would get its number otherwise. Output that cannot be
written is an error, which is reported once.

Does not know: what is written.
"""

from __future__ import annotations

import io
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING

from sandbox.errors import NativeError

if TYPE_CHECKING:
    from _typeshed import ReadableBuffer


class _Output(io.FileIO):
    """Standard output; a failed write is its last."""

    def write(self, data: ReadableBuffer, /) -> int:
        try:
            return super().write(data)
        except (BrokenPipeError, BlockingIOError):
            raise
        except OSError as exc:
            abandon_output()
            raise NativeError(exc.errno or 0, "cannot write to standard output") from exc


def prepare() -> None:
    """Open the descriptors among 0 to 2 that are closed."""
    for fd in range(3):
        try:
            os.fstat(fd)
        except OSError:
            os.set_inheritable(os.open(os.devnull, os.O_RDWR), True)  # takes the lowest free number
    if sys.stdin is None:
        sys.stdin = open(0, closefd=False)  # noqa: SIM115 - it stays
    if sys.stderr is None:
        sys.stderr = open(2, "w", closefd=False)  # noqa: SIM115
    if sys.stdout is not None:
        sys.stdout.flush()
    sys.stdout = io.TextIOWrapper(
        io.BufferedWriter(_Output(1, "w", closefd=False)),
        encoding=getattr(sys.stdout, "encoding", None),
        line_buffering=os.isatty(1),
    )


def tell(text: str) -> None:
    """Write a line to standard error, as `click.echo` does, and import no click."""
    with suppress(BrokenPipeError):
        print(text, file=sys.stderr, flush=True)


def warn(text: str, *, quiet: bool = False) -> None:
    """Write a warning, unless the user wants none."""
    if not quiet and os.environ.get("SANDBOX_NO_WARNINGS") != "1":
        tell(f"sandbox: warning: {text}")


def abandon_output() -> None:
    """Let the interpreter end quietly when the reader of its output is gone."""
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 1)
    os.close(null)
