# SPDX-License-Identifier: MIT
"""Open the archive of ``load`` and ``import``: a file, or standard input."""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager
from typing import IO, TYPE_CHECKING

from sandbox.errors import CorruptData, UsageError, map_os_errors

if TYPE_CHECKING:
    from collections.abc import Iterator

STDIN = "-"


@contextmanager
def open_input(path: str) -> Iterator[IO[bytes]]:
    """Open the archive at *path*; "-" is standard input."""
    if path == STDIN:
        if sys.stdin.isatty():
            raise UsageError("refusing to read an archive from a terminal")
        yield sys.stdin.buffer
        return
    if path.startswith(("http://", "https://")):
        raise UsageError(f"{path}: downloads are not supported: pipe the file in")
    with ExitStack() as stack:
        with map_os_errors(f"cannot read {path}"):
            file = stack.enter_context(open(path, "rb"))
        yield file


@contextmanager
def naming(path: str) -> Iterator[None]:
    """Add the name of the file to errors about its data."""
    try:
        yield
    except CorruptData as exc:
        if exc.message.startswith(path):
            raise
        raise type(exc)(f"{path}: {exc.message}") from exc
