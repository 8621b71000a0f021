# SPDX-License-Identifier: MIT
"""A whole Dockerfile: directives, global arguments, stages.

Does not know: which stages are needed (see ``planner``).
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
    """FROM and all up to the next one."""

    index: int
    base: From
    instructions: tuple[Instruction, ...]

    @property
    def name(self) -> str:
        """The name given by AS, in lower case, or ""."""
        return self.base.name

    @property
    def label(self) -> str:
        """What to call the stage in messages: its name, or stage-N."""
        return self.name or f"stage-{self.index}"


@dataclass(frozen=True)
class Dockerfile:
    """A parsed file; ``text`` is what its spans point into."""

    name: str
    text: str
    directives: Directives
    arguments: tuple[Arg, ...]
    """The global ARGs, above the first FROM."""
    stages: tuple[Stage, ...]
    empty_continuations: tuple[Span, ...] = ()
    """Instructions with a blank line in the middle, which is allowed no longer one day."""
