# SPDX-License-Identifier: MIT
"""What a plan says: the stages to build, and where each source comes from."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

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
    """One stage to build; its instructions begin with the ONBUILD triggers of its base."""

    stage: Stage
    base: Source
    platform: str | None
    """What FROM --platform says (normalised), or None for the target's platform."""
    sources: Mapping[str, Source]
    """For each ``from_`` of its COPYs and mounts that is not "", what it names."""

    @property
    def index(self) -> int:
        """The place of the stage in the file."""
        return self.stage.index

    @property
    def dependencies(self) -> frozenset[int]:
        """Indexes of the stages that must be finished first, the base's included."""
        used = (self.base, *self.sources.values())
        return frozenset(source.index for source in used if isinstance(source, StageSource))


@dataclass(frozen=True)
class Plan:
    """What to build: ``stages`` in an order in which each comes after what it needs."""

    stages: tuple[PlannedStage, ...]
    target: int
    global_arguments: Mapping[str, str]
    """Values of the ARGs above the first FROM and of the platform arguments; a stage sees
    one only after it declares it."""

    @property
    def last(self) -> PlannedStage:
        """The stage that was asked for."""
        return next(stage for stage in self.stages if stage.index == self.target)


@dataclass(frozen=True)
class Wanted:
    """What the user asks of a build."""

    target: str = ""
    build_arguments: Mapping[str, str] | None = None
    platform: str = "linux/amd64"
    build_platform: str = "linux/amd64"
    contexts: Collection[str] = ()
