# SPDX-License-Identifier: MIT
"""The plan of a build: the stages to build, and the origin of each source."""

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
    """The result of another stage in the file."""

    index: int


@dataclass(frozen=True)
class ContextSource:
    """A context given with --build-context; ``name`` is its name there."""

    name: str


@dataclass(frozen=True)
class ImageSource:
    """An image, named as written, with variables expanded."""

    reference: str


Source = Scratch | StageSource | ContextSource | ImageSource


@dataclass(frozen=True)
class PlannedStage:
    """One stage to build. Its instructions begin with the ONBUILD triggers of its base."""

    stage: Stage
    base: Source
    platform: str | None
    """The normalised platform of FROM --platform; None means the target's platform."""
    sources: Mapping[str, Source]
    """Maps each ``from_`` of a COPY or mount to what it names."""

    @property
    def index(self) -> int:
        """The index of the stage in the file."""
        return self.stage.index

    @property
    def dependencies(self) -> frozenset[int]:
        """The indexes of the stages that must be built first, including the base."""
        used = (self.base, *self.sources.values())
        return frozenset(source.index for source in used if isinstance(source, StageSource))


@dataclass(frozen=True)
class Plan:
    """The stages to build, each after the stages it depends on."""

    stages: tuple[PlannedStage, ...]
    target: int
    global_arguments: Mapping[str, str]
    """Values of the global ARGs and of the platform arguments. A stage sees one of them only
    after declaring it with ARG."""

    @property
    def last(self) -> PlannedStage:
        """The target stage."""
        return next(stage for stage in self.stages if stage.index == self.target)


@dataclass(frozen=True)
class Wanted:
    """The user's request: target, arguments, platforms and contexts."""

    target: str = ""
    build_arguments: Mapping[str, str] | None = None
    platform: str = "linux/amd64"
    build_platform: str = "linux/amd64"
    contexts: Collection[str] = ()
