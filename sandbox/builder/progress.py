# SPDX-License-Identifier: MIT
"""What a build tells while it goes on: vertices that start, speak and end.

Rules: may be called by several threads at once.

Does not know: how any of it is shown.
"""

from __future__ import annotations

import hashlib
import threading
import time
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

_TAIL = 64 * 1024
CANCELED = "context canceled"
"""The error of what was ended because something else failed; the words are BuildKit's."""


@dataclass(eq=False)
class Vertex:
    """One thing that is done; *number* counts from one in the order of the starts."""

    number: int
    name: str
    started: float
    digest: str
    ended: float = 0.0
    cached: bool = False
    error: str = ""
    idle: bool = False
    """An instruction that changes no file: there is nothing to do."""
    tail: bytearray = field(default_factory=bytearray)
    """The end of what it said."""

    @property
    def canceled(self) -> bool:
        """Whether it was ended from outside, and did not fail by itself."""
        return self.error == CANCELED


class Progress(Protocol):
    """Whoever shows a build."""

    def started(self, vertex: Vertex) -> None:
        """Take note that something begins."""

    def said(self, vertex: Vertex, stream: int, data: bytes) -> None:
        """Take note of output: 1 is standard output, 2 standard error."""

    def ended(self, vertex: Vertex) -> None:
        """Take note that something is done, was cached, or failed."""


class Silent:
    """Shows nothing."""

    def started(self, vertex: Vertex) -> None:
        """Show nothing."""

    def said(self, vertex: Vertex, stream: int, data: bytes) -> None:
        """Show nothing."""

    def ended(self, vertex: Vertex) -> None:
        """Show nothing."""


class Teller:
    """Numbers what happens and passes it on, one call at a time."""

    def __init__(self, progress: Progress) -> None:
        """Tell *progress*."""
        self._progress = progress
        self._lock = threading.Lock()
        self._count = 0

    def start(self, name: str, *, idle: bool = False) -> Vertex:
        """Say that something begins."""
        with self._lock:
            self._count += 1
            digest = hashlib.sha256(f"{self._count} {name}".encode("utf-8", "replace"))
            known = f"sha256:{digest.hexdigest()}"
            vertex = Vertex(self._count, name, time.time(), known, idle=idle)
            self._progress.started(vertex)
        return vertex

    def say(self, vertex: Vertex, data: bytes, stream: int = 1) -> None:
        """Pass on output."""
        with self._lock:
            vertex.tail += data
            del vertex.tail[:-_TAIL]
            self._progress.said(vertex, stream, data)

    def end(self, vertex: Vertex, *, cached: bool = False, error: str = "") -> None:
        """Say that it is over."""
        with self._lock:
            vertex.ended, vertex.cached, vertex.error = time.time(), cached, error
            self._progress.ended(vertex)

    @contextmanager
    def doing(self, name: str) -> Iterator[Vertex]:
        """Tell of a thing that is done in the block."""
        vertex = self.start(name)
        try:
            yield vertex
        except BaseException as exc:
            self.end(vertex, error=error_of(exc))
            raise
        if not vertex.ended:
            self.end(vertex, cached=vertex.cached)


def error_of(exc: BaseException) -> str:
    """Return what to say of a vertex that ended with *exc*."""
    if isinstance(exc, KeyboardInterrupt):
        return CANCELED
    return getattr(exc, "reason", "") or str(exc) or type(exc).__name__
