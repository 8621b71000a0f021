# SPDX-License-Identifier: MIT
"""Errors in a Dockerfile, with their place in the file.

Rules: ``reason`` is BuildKit's text. ``str()`` adds the file name, the line number and a
``snippet``: the lines at fault, with a caret below.
"""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from sandbox.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.dockerfile.instructions import Span
    from sandbox.dockerfile.stages import Dockerfile

_AROUND = 2
_SHOWN = 12


class LanguageError(UsageError):
    """An error found by code that does not know the line; ``located`` adds it."""


class DockerfileError(UsageError):
    """A Dockerfile that cannot be built as written."""

    def __init__(
        self, reason: str, *, name: str = "Dockerfile", text: str = "", span: Span | None = None
    ) -> None:
        """Make the message; *text* is the whole file, *span* the lines at fault."""
        self.reason = reason
        self.name = name
        self.span = span
        self.snippet = snippet(text, span, name=name) if span is not None and text else ""
        place = f"{name}:{span.first}: " if span is not None else ""
        super().__init__(place + reason + (f"\n{self.snippet}" if self.snippet else ""))


def snippet(text: str, span: Span, *, name: str) -> str:
    """Return the lines of *span* and two lines around them, numbered, with a caret below."""
    lines = text.split("\n")
    if lines and not lines[-1]:
        lines.pop()
    first, last = max(span.first, 1), min(max(span.first, span.last), len(lines))
    rule = "-" * 20
    shown = [f"{name}:{first}", rule]
    for number in range(max(1, first - _AROUND), min(len(lines), last + _AROUND) + 1):
        if first + _SHOWN < number <= last:
            continue
        line = lines[number - 1].rstrip("\r")
        mark = ">>>" if first <= number <= last else "   "
        shown.append(f"{number:4} | {mark} {line}".rstrip())
        if number == first:
            indent = line[: len(line) - len(line.lstrip())]  # keeps tabs, so the caret lines up
            width = max(len(line.strip()), 1)
            shown.append(f"     |     {indent}^{'~' * (min(width, 72) - 1)}")
    return "\n".join([*shown, rule])


@contextmanager
def located(dockerfile: Dockerfile, span: Span) -> Iterator[None]:
    """Convert a LanguageError of the block into a DockerfileError about *span*."""
    try:
        yield
    except LanguageError as exc:
        raise DockerfileError(
            exc.message, name=dockerfile.name, text=dockerfile.text, span=span
        ) from exc
