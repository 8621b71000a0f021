# SPDX-License-Identifier: MIT
"""The titles of a stage's steps in progress output, as in BuildKit. Pure.

Rules: known variables are expanded. A RUN keeps its quotes and its unknown variables.
"""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from sandbox.dockerfile import instructions as say
from sandbox.dockerfile.expand import ExpansionError, Style, expansion
from sandbox.dockerfile.lexer import parse_heredoc
from sandbox.dockerfile.plan import Scratch, StageSource
from sandbox.dockerfile.words import split_line

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.dockerfile.plan import PlannedStage

_WITH_LAYER = (say.Run, say.Transfer, say.Workdir)


def steps_of(planned: PlannedStage) -> tuple[int, int]:
    """Return the number of the base's step (0: it is no step) and the number of all steps."""
    first = 0 if isinstance(planned.base, Scratch | StageSource) else 1
    layers = sum(isinstance(item, _WITH_LAYER) for item in planned.stage.instructions)
    return first, first + layers


class StepTitles:
    """Numbers the steps of one stage and makes their titles."""

    def __init__(
        self, planned: PlannedStage, *, is_named: bool, numbering: tuple[int, int] | None
    ) -> None:
        """Start at the base; *numbering* holds its number and the number of all steps."""
        self._name = planned.stage.label if is_named else ""
        self._number, self._total = numbering or steps_of(planned)

    def next(self) -> None:
        """Advance to the next step."""
        self._number += 1

    def title(self, text: str) -> str:
        """Return the title of the present step: ``[name 2/3] RUN ...``."""
        return numbered(self._name, self._number, self._total, text)


def numbered(name: str, number: int, total: int, text: str) -> str:
    """Return the title of a step.

    >>> numbered("build", 2, 12, "RUN [ a ]"), numbered("", 1, 1, "RUN a")
    ('[build  2/12] RUN [ a ]', '[1/1] RUN a')
    """
    before = f"{name} " if name else ""
    return f"[{before}{number:{len(str(total))}}/{total}] {text}"


def text_of(
    instruction: say.Instruction, variables: Mapping[str, str], *, escape: str, is_trigger: bool
) -> str:
    """Return the text of an instruction in a title."""
    is_run = isinstance(instruction, say.Run)
    style = Style(escape, raw_quotes=is_run, keep_unset=is_run)
    text = " ".join(instruction.original.split(None, 1))
    if isinstance(instruction, say.Run) and instruction.heredocs:
        text += _summary(instruction)
    with suppress(ExpansionError):
        text = expansion(text, variables, style).text
    keyword, space, rest = text.partition(" ")
    return ("ONBUILD " if is_trigger else "") + keyword.upper() + space + rest


def _summary(instruction: say.Run) -> str:
    """Return the first line of a RUN that is one here-document."""
    if parse_heredoc(split_line(instruction.original).rest) is None:
        return ""
    first, *more = instruction.heredocs[0].content.strip().replace("\r\n", "\n").split("\n")
    return f" ({first}{'...' if more else ''})"
