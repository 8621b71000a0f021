# SPDX-License-Identifier: MIT
"""The progress of a build: vertices that start, print output and end.

Rules: several threads may call it at once.

Does not know: how progress is shown.
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
"""BuildKit's error text of a vertex that ended because another one failed."""


@dataclass(eq=False)
class Vertex:
    """One unit of work; *number* counts from one in the order of the starts."""

    number: int
    name: str
    started: float
    digest: str
    ended: float = 0.0
    cached: bool = False
    error: str = ""
    idle: bool = False
    """The instruction changes no file, so no work is done."""
    tail: bytearray = field(default_factory=bytearray)
    """The last part of its output."""

    @property
    def canceled(self) -> bool:
        """Whether it ended because of another failure, and did not fail itself."""
        return self.error == CANCELED


class Progress(Protocol):
    """Receives the progress of a build and shows it."""

    def started(self, vertex: Vertex) -> None:
        """Handle the start of a vertex."""

    def said(self, vertex: Vertex, stream: int, data: bytes) -> None:
        """Handle output: stream 1 is standard output, 2 standard error."""

    def ended(self, vertex: Vertex) -> None:
        """Handle the end of a vertex, which succeeded, was cached, or failed."""


class Silent:
    """Shows nothing."""

    def started(self, vertex: Vertex) -> None:
        """Show nothing."""

    def said(self, vertex: Vertex, stream: int, data: bytes) -> None:
        """Show nothing."""

    def ended(self, vertex: Vertex) -> None:
        """Show nothing."""


class Reporter:
    """Numbers vertices and forwards their events, one call at a time."""

    def __init__(self, progress: Progress) -> None:
        """Forward to *progress*."""
        self._progress = progress
        self._lock = threading.Lock()
        self._count = 0

    def start(self, name: str, *, idle: bool = False) -> Vertex:
        """Report the start of a vertex."""
        with self._lock:
            self._count += 1
            digest = hashlib.sha256(f"{self._count} {name}".encode("utf-8", "replace"))
            known = f"sha256:{digest.hexdigest()}"
            vertex = Vertex(self._count, name, time.time(), known, idle=idle)
            self._progress.started(vertex)
        return vertex

    def say(self, vertex: Vertex, data: bytes, stream: int = 1) -> None:
        """Forward output."""
        with self._lock:
            vertex.tail += data
            del vertex.tail[:-_TAIL]
            self._progress.said(vertex, stream, data)

    def end(self, vertex: Vertex, *, cached: bool = False, error: str = "") -> None:
        """Report the end of a vertex."""
        with self._lock:
            vertex.ended, vertex.cached, vertex.error = time.time(), cached, error
            self._progress.ended(vertex)

    @contextmanager
    def doing(self, name: str) -> Iterator[Vertex]:
        """Report the block as one vertex."""
        vertex = self.start(name)
        try:
            yield vertex
        except BaseException as exc:
            self.end(vertex, error=error_of(exc))
            raise
        if not vertex.ended:
            self.end(vertex, cached=vertex.cached)


def error_of(exc: BaseException) -> str:
    """Return the error text of a vertex that ended with *exc*."""
    if isinstance(exc, KeyboardInterrupt):
        return CANCELED
    return getattr(exc, "reason", "") or str(exc) or type(exc).__name__
