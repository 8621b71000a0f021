# SPDX-License-Identifier: MIT
"""What is wrong in a Dockerfile, and where.

Rules: ``message`` is BuildKit's text; ``str()`` adds the place; ``snippet`` shows the
lines with a caret below the culprit.
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
    """Something that makes no sense, raised where the line is not known; see ``located``."""


class DockerfileError(UsageError):
    """A Dockerfile that cannot be built as it is written."""

    def __init__(
        self, reason: str, *, name: str = "Dockerfile", text: str = "", span: Span | None = None
    ) -> None:
        """Keep the reason; *text* is the whole file, *span* the lines at fault."""
        self.reason = reason
        self.name = name
        self.span = span
        self.snippet = snippet(text, span, name=name) if span is not None and text else ""
        place = f"{name}:{span.first}: " if span is not None else ""
        super().__init__(place + reason + (f"\n{self.snippet}" if self.snippet else ""))


def snippet(text: str, span: Span, *, name: str) -> str:
    """Return the lines of *span* and two around them, numbered, with a caret below."""
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
            indent = line[: len(line) - len(line.lstrip())]  # tabs are as wide here as above
            width = max(len(line.strip()), 1)
            shown.append(f"     |     {indent}^{'~' * (min(width, 72) - 1)}")
    return "\n".join([*shown, rule])


@contextmanager
def located(dockerfile: Dockerfile, span: Span) -> Iterator[None]:
    """Say of any LanguageError of the block that it is about *span*."""
    try:
        yield
    except LanguageError as exc:
        raise DockerfileError(
            exc.message, name=dockerfile.name, text=dockerfile.text, span=span
        ) from exc
