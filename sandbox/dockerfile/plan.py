"""Which stages a target needs, in which order, and where each source comes from. Pure.

Does not know: what an image holds. The ONBUILD triggers of a base image are added by the
builder, which then asks ``source_of`` and ``parse_trigger`` again.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.dockerfile.stages import Stage


@dataclass(frozen=True)
class Scratch:
    """The empty tree."""


@dataclass(frozen=True)
class StageSource:
    """The result of another stage of the file."""

    index: int


@dataclass(frozen=True)
class ContextSource:
    """A context given with --build-context, by name."""

    name: str


@dataclass(frozen=True)
class ImageSource:
    """An image, named as it was written (variables expanded)."""

    reference: str


Source = Scratch | StageSource | ContextSource | ImageSource


@dataclass(frozen=True)
class PlannedStage:
    """One stage to build."""

    stage: Stage
    base: Source
    platform: str | None
    """What FROM --platform says (normalised), or None for the target's platform."""
    dependencies: frozenset[int]
    """Indexes of the stages that must be finished first, the base's included."""

    @property
    def index(self) -> int:
        """The place of the stage in the file."""
        return self.stage.index


@dataclass(frozen=True)
class Plan:
    """What to build: ``stages`` in an order in which each comes after what it needs."""

    stages: tuple[PlannedStage, ...]
    target: int
    global_arguments: Mapping[str, str]
    """Values of the ARGs above the first FROM and of the platform arguments; a stage sees
    one only after it declares it."""
