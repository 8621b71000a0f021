# SPDX-License-Identifier: MIT
"""A parsed Dockerfile: directives, global arguments, stages.

Must not know: which stages are needed (``planner``).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sandbox.dockerfile.instructions import Arg, From, Instruction, Span


@dataclass(frozen=True)
class Directives:
    """The ``# name=value`` lines at the top of the file."""

    syntax: str | None = None
    escape: str = "\\"
    check: str | None = None


@dataclass(frozen=True)
class Stage:
    """A FROM and the instructions up to the next FROM."""

    index: int
    base: From
    instructions: tuple[Instruction, ...]

    @property
    def name(self) -> str:
        """The name given by AS in lower case, or ""."""
        return self.base.name

    @property
    def label(self) -> str:
        """The name of the stage in messages: its AS name, or stage-N."""
        return self.name or f"stage-{self.index}"


@dataclass(frozen=True)
class Dockerfile:
    """A parsed file; spans refer to lines of ``text``."""

    name: str
    text: str
    directives: Directives
    arguments: tuple[Arg, ...]
    """The ARGs above the first FROM."""
    stages: tuple[Stage, ...]
    empty_continuations: tuple[Span, ...] = ()
    """Instructions with a blank line inside. BuildKit warns of them, and will refuse them."""
