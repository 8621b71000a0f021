# SPDX-License-Identifier: MIT
"""The progress of a build: BuildKit's lines, JSON, or a live terminal view."""

from __future__ import annotations

import base64
import json
import sys
import time
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from sandbox.builder.progress import Progress, Silent
from sandbox.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.builder.progress import Vertex

_SHOWN = 6


class Display(Progress, Protocol):
    """A progress display with an end."""

    def finish(self) -> None:
        """Show the rest; no event follows."""


@contextmanager
def display(kind: str) -> Iterator[Display]:
    """Give the display that --progress asks for."""
    if kind == "auto":
        kind = "tty" if sys.stderr.isatty() else "plain"
    makers: dict[str, type[Any]] = {
        "plain": Plain, "tty": Live, "rawjson": RawJson, "quiet": Quiet, "none": Quiet,
    }  # fmt: skip
    if kind not in makers:
        raise UsageError(f"invalid progress mode {kind!r}: auto, plain, tty, quiet or rawjson")
    shown: Display = makers[kind]()
    try:
        yield shown
    finally:
        shown.finish()


class Quiet(Silent):
    """Shows nothing."""

    def finish(self) -> None:
        """Show nothing."""


class Plain:
    """``#5 [2/3] RUN make``, then its output with the seconds since it began."""

    def __init__(self) -> None:
        self._partial: dict[int, bytes] = {}
        self._last = 0

    def _line(self, vertex: Vertex, text: str) -> None:
        if self._last not in (0, vertex.number):
            print(file=sys.stderr)
        self._last = vertex.number
        print(f"#{vertex.number} {text}", file=sys.stderr, flush=True)

    def started(self, vertex: Vertex) -> None:
        """Print the title."""
        self._line(vertex, vertex.name)

    def said(self, vertex: Vertex, stream: int, data: bytes) -> None:
        """Print whole lines of output."""
        del stream
        lines = (self._partial.pop(vertex.number, b"") + data).split(b"\n")
        if lines[-1]:
            self._partial[vertex.number] = lines[-1]
        for line in lines[:-1]:
            self._output(vertex, line)

    def _output(self, vertex: Vertex, line: bytes) -> None:
        seconds = time.time() - vertex.started
        text = line.rstrip(b"\r").decode("utf-8", "replace")
        self._line(vertex, f"{seconds:.3f} {text}".rstrip())

    def ended(self, vertex: Vertex) -> None:
        """Print how it ended."""
        left = self._partial.pop(vertex.number, b"")
        if left:
            self._output(vertex, left)
        if vertex.canceled:
            self._line(vertex, "CANCELED")
        elif vertex.error:
            self._line(vertex, f"ERROR: {vertex.error}")
        elif vertex.cached:
            self._line(vertex, "CACHED")
        else:
            self._line(vertex, f"DONE {vertex.ended - vertex.started:.1f}s")

    def finish(self) -> None:
        """Leave nothing behind."""
        if self._last:
            print(file=sys.stderr, flush=True)
            self._last = 0


class RawJson:
    """A line of JSON for each change, as BuildKit's rawjson."""

    def _emit(self, **document: Any) -> None:
        print(json.dumps(document, separators=(",", ":")), file=sys.stderr, flush=True)

    def _vertex(self, vertex: Vertex) -> dict[str, Any]:
        found: dict[str, Any] = {
            "digest": vertex.digest,
            "name": vertex.name,
            "started": _moment(vertex.started),
        }
        if vertex.ended:
            found["completed"] = _moment(vertex.ended)
        if vertex.cached:
            found["cached"] = True
        if vertex.error:
            found["error"] = vertex.error
        return found

    def started(self, vertex: Vertex) -> None:
        """Write the start of a vertex."""
        self._emit(vertexes=[self._vertex(vertex)])

    def said(self, vertex: Vertex, stream: int, data: bytes) -> None:
        """Write output."""
        log = {
            "vertex": vertex.digest,
            "stream": stream,
            "data": base64.b64encode(data).decode(),
            "timestamp": _moment(time.time()),
        }
        self._emit(logs=[log])

    def ended(self, vertex: Vertex) -> None:
        """Write the end of a vertex."""
        self._emit(vertexes=[self._vertex(vertex)])

    def finish(self) -> None:
        """Do nothing: every line is written."""


class Live:
    """A live view: running vertices, their times, and the end of their output."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.live import Live as Screen

        self._vertices: list[Vertex] = []
        self._begun = time.time()
        self._screen: Any = Screen(
            get_renderable=self._render, console=Console(stderr=True), refresh_per_second=8,
            vertical_overflow="crop",
        )  # fmt: skip
        self._screen.start()

    def started(self, vertex: Vertex) -> None:
        """Show one more."""
        self._vertices.append(vertex)

    def said(self, vertex: Vertex, stream: int, data: bytes) -> None:
        """Do nothing: the next refresh shows the output that the vertex keeps."""

    def ended(self, vertex: Vertex) -> None:
        """Do nothing: the next refresh shows the end."""

    def finish(self) -> None:
        """Show the last state and release the terminal."""
        self._screen.stop()

    def _render(self) -> Any:
        from rich.text import Text

        done = sum(bool(vertex.ended) for vertex in self._vertices)
        seconds = time.time() - self._begun
        text = Text(f"[+] Building {seconds:.1f}s ({done}/{len(self._vertices)})\n")
        for vertex in self._vertices:
            end = vertex.ended or time.time()
            state, style = _state(vertex)
            title = f" => {state} {vertex.name}".replace("  ", " ")
            width = max(20, self._screen.console.width - 8)
            text.append(f"{title[:width]:<{width}}{end - vertex.started:5.1f}s\n", style)
            if not vertex.ended and vertex.tail:
                lines = bytes(vertex.tail).decode("utf-8", "replace").splitlines()[-_SHOWN:]
                for line in lines:
                    text.append(f" => => # {line[: width - 8]}\n", "dim")
        return text


def _state(vertex: Vertex) -> tuple[str, str]:
    """Return the status word of a vertex and its colour."""
    if vertex.canceled:
        return "CANCELED", "yellow"
    if vertex.error:
        return "ERROR", "red"
    return "CACHED" if vertex.cached else "", "blue" if vertex.ended else ""


def _moment(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")
