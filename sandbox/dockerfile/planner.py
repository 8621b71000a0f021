# SPDX-License-Identifier: MIT
"""Chooses and orders the stages that a target needs, and resolves their sources. Pure.

Rules:

* FROM sees global ARGs only.
* A stage may use only stages above it.
* A context given with ``--build-context`` replaces a stage or an image of the same name.
* A stage based on another stage begins with that stage's ONBUILD triggers.
* FROM compares stage names exactly, ``--from`` ignores case.

Must not know: the contents of images. The builder passes the ONBUILD triggers of base images
to ``plan`` in a second call.
"""

from __future__ import annotations

import re
from dataclasses import replace
from typing import TYPE_CHECKING

from sandbox.dockerfile.errors import DockerfileError, located
from sandbox.dockerfile.expand import Style, expansion
from sandbox.dockerfile.go_text import did_you_mean, quoted
from sandbox.dockerfile.instructions import Copy, MountKind, OnBuild, Run
from sandbox.dockerfile.parser import parse_trigger
from sandbox.dockerfile.plan import (
    ContextSource,
    ImageSource,
    Plan,
    PlannedStage,
    Scratch,
    Source,
    StageSource,
    Wanted,
)
from sandbox.dockerfile.platforms import PlatformName, parse_platform
from sandbox.dockerfile.words import ArgumentError
from sandbox.errors import ReferenceSyntaxError, UsageError
from sandbox.models.reference import parse_reference

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sandbox.dockerfile.expand import Expansion
    from sandbox.dockerfile.instructions import Instruction
    from sandbox.dockerfile.stages import Dockerfile, Stage

SCRATCH = "scratch"
_NO_CONTEXTS = ("scratch", "context")
_INDEX = re.compile(r"[+-]?[0-9]+")


def plan(
    dockerfile: Dockerfile,
    wanted: Wanted,
    *,
    triggers: Mapping[int, tuple[Instruction, ...]] | None = None,
    all_stages: bool = False,
) -> Plan:
    """Return the stages to build; *triggers* are those of base images, by index of the stage.

    Raises DockerfileError for a file that cannot be planned, UsageError for an unknown target.
    """
    arguments = global_arguments(dockerfile, wanted)
    planner = _Planner(dockerfile, wanted, arguments, triggers or {})
    target = planner.target()
    stages = [planner.stage(index) for index in range(len(dockerfile.stages))]
    planner.check_circles(stages)
    needed = set(range(len(stages))) if all_stages else _reachable(stages, target)
    chosen = tuple(stage for stage in stages if stage.index in needed)
    for stage in chosen:
        planner.check_order(stage)
    return Plan(chosen, target, arguments)


def global_arguments(dockerfile: Dockerfile, wanted: Wanted) -> dict[str, str]:
    """Return the values of the platform arguments and of the global ARGs."""
    given = wanted.build_arguments or {}
    found = {name: given.get(name, value) for name, value in _predefined(dockerfile, wanted)}
    for instruction in dockerfile.arguments:
        for argument in instruction.arguments:
            if argument.name in given:
                found[argument.name] = given[argument.name]
            elif argument.default is not None:
                with located(dockerfile, instruction.span):
                    style = Style(dockerfile.directives.escape)
                    found[argument.name] = expansion(argument.default, found, style).text
    return found


def _predefined(dockerfile: Dockerfile, wanted: Wanted) -> list[tuple[str, str]]:
    default = PlatformName("linux", "amd64")
    found: list[tuple[str, str]] = []
    for prefix, text in (("BUILD", wanted.build_platform), ("TARGET", wanted.platform)):
        platform = parse_platform(text, default=default)
        found += [
            (f"{prefix}PLATFORM", str(platform)),
            (f"{prefix}OS", platform.system),
            (f"{prefix}OSVERSION", ""),
            (f"{prefix}ARCH", platform.machine),
            (f"{prefix}VARIANT", platform.variant),
        ]
    target = wanted.target or dockerfile.stages[-1].name
    return [*found, ("TARGETSTAGE", target or "default")]


def _reachable(stages: list[PlannedStage], target: int) -> set[int]:
    found: set[int] = set()
    waiting = [target]
    while waiting:
        index = waiting.pop()
        if index not in found:
            found.add(index)
            waiting += stages[index].dependencies
    return found


class _Planner:
    def __init__(
        self,
        dockerfile: Dockerfile,
        wanted: Wanted,
        arguments: Mapping[str, str],
        triggers: Mapping[int, tuple[Instruction, ...]],
    ) -> None:
        self.dockerfile = dockerfile
        self.wanted = wanted
        self.arguments = arguments
        self.triggers = triggers
        self.names = {stage.name: stage.index for stage in dockerfile.stages if stage.name}
        self.contexts = _normalised_contexts(wanted.contexts)

    def target(self) -> int:
        wanted = self.wanted.target
        if not wanted:
            return len(self.dockerfile.stages) - 1
        if wanted.lower() not in self.names:
            message = f"target stage {quoted(wanted)} could not be found"
            labels = [stage.label for stage in self.dockerfile.stages]
            raise UsageError(did_you_mean(message, wanted, labels))
        return self.names[wanted.lower()]

    def stage(self, index: int) -> PlannedStage:
        stage = self.dockerfile.stages[index]
        with located(self.dockerfile, stage.base.span):
            platform = self._platform(stage)
            context = self._context(stage.name)
            base = context or self._base(stage)
        if context is not None:
            return PlannedStage(replace(stage, instructions=()), context, platform, {})
        added = (*self.triggers.get(index, ()), *self._triggers_of(base, stage))
        stage = replace(stage, instructions=(*added, *stage.instructions))
        return PlannedStage(stage, base, platform, self._sources(stage))

    def check_order(self, stage: PlannedStage) -> None:
        for instruction in stage.stage.instructions:
            for name in _names_used(instruction):
                source = stage.sources[name]
                if isinstance(source, StageSource) and source.index >= stage.index:
                    reason = (
                        f"cannot copy from stage {quoted(name)}, it needs to be defined before"
                        f" current stage {quoted(stage.stage.label)}"
                    )
                    raise self._error(reason, instruction)

    def check_circles(self, stages: list[PlannedStage]) -> None:
        for stage in stages:
            below = {index for one in stage.dependencies for index in _reachable(stages, one)}
            if stage.index in below:
                reason = f"circular dependency detected on stage: {stage.stage.label}"
                raise self._error(reason, self._culprit(stage, stages))

    def _culprit(self, stage: PlannedStage, stages: list[PlannedStage]) -> Instruction:
        for instruction in stage.stage.instructions:
            for name in _names_used(instruction):
                source = stage.sources[name]
                if isinstance(source, StageSource) and stage.index in _reachable(
                    stages, source.index
                ):
                    return instruction
        return stage.stage.base

    def _error(self, reason: str, instruction: Instruction) -> DockerfileError:
        text = self.dockerfile.text
        return DockerfileError(reason, name=self.dockerfile.name, text=text, span=instruction.span)

    def _expanded(self, word: str) -> Expansion:
        return expansion(word, self.arguments, Style(self.dockerfile.directives.escape))

    def _platform(self, stage: Stage) -> str | None:
        written = stage.base.platform
        if not written:
            return None
        found = self._expanded(written)
        if not found.text:
            message = f"empty platform value from expression {written}"
            word = min(found.unknown, default="")
            raise ArgumentError(did_you_mean(message, word, self.arguments))
        target = parse_platform(self.wanted.platform, default=PlatformName("linux", "amd64"))
        try:
            return str(parse_platform(found.text, default=target))
        except ArgumentError as exc:
            word = min(found.unknown, default="")
            message = did_you_mean(exc.message, word, self.arguments)
            raise ArgumentError(f"failed to parse platform {written}: {message}") from exc

    def _base(self, stage: Stage) -> Source:
        name = self._expanded(stage.base.image).text
        if not name:
            raise ArgumentError(f"base name ({stage.base.image}) should not be blank")
        for earlier in reversed(self.dockerfile.stages[: stage.index]):
            if earlier.name == name:
                return StageSource(earlier.index)
        if name == SCRATCH:
            return Scratch()
        return self._context(name) or self._image(name)

    def _image(self, name: str) -> ImageSource:
        try:
            parse_reference(name)
        except ReferenceSyntaxError as exc:
            message = f"failed to parse stage name {quoted(name)}: {exc.message}"
            raise ArgumentError(message) from exc
        return ImageSource(name)

    def _context(self, name: str) -> ContextSource | None:
        if not name or name.lower() in _NO_CONTEXTS:
            return None
        if name in self.wanted.contexts:
            return ContextSource(name)
        given = self.contexts.get(_normalised(name))
        return ContextSource(given) if given is not None else None

    def _triggers_of(self, base: Source, stage: Stage) -> tuple[Instruction, ...]:
        if not isinstance(base, StageSource) or self._context(
            self.dockerfile.stages[base.index].name
        ):
            return ()
        return tuple(
            parse_trigger(instruction.expression, base=stage.base, name=self.dockerfile.name)
            for instruction in self.dockerfile.stages[base.index].instructions
            if isinstance(instruction, OnBuild)
        )

    def _sources(self, stage: Stage) -> dict[str, Source]:
        found: dict[str, Source] = {}
        for instruction in stage.instructions:
            with located(self.dockerfile, instruction.span):
                for name in _names_used(instruction):
                    found[name] = self._source(name, stage, expands=isinstance(instruction, Copy))
        return found

    def _source(self, name: str, stage: Stage, *, expands: bool) -> Source:
        if expands and expansion(name, {}, Style(self.dockerfile.directives.escape)).text != name:
            raise ArgumentError(
                "variable expansion is not supported for --from, define a new stage with FROM"
                " using ARG from global scope as a workaround"
            )
        if _INDEX.fullmatch(name):
            index = int(name[:10])
            if not 0 <= index < len(self.dockerfile.stages):
                raise ArgumentError(f"invalid stage index {index}")
            return StageSource(index)
        if name.lower() in self.names:
            return StageSource(self.names[name.lower()])
        if name == SCRATCH:
            return Scratch()
        return self._context(name) or self._image(name)


def _names_used(instruction: Instruction) -> list[str]:
    if isinstance(instruction, Copy):
        return [instruction.from_] if instruction.from_ else []
    if isinstance(instruction, Run):
        kinds = (MountKind.BIND, MountKind.CACHE)
        return [m.from_ for m in instruction.mounts if m.from_ and m.kind in kinds]
    return []


def _normalised(name: str) -> str:
    try:
        return str(parse_reference(name).with_default_tag())
    except ReferenceSyntaxError:
        return name


def _normalised_contexts(names: Collection[str]) -> dict[str, str]:
    return {_normalised(name): name for name in names}
