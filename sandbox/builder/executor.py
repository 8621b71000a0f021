# SPDX-License-Identifier: MIT
"""Build the target of a build: plan the stages, and build each on its base."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.builder.check import warn
from sandbox.builder.errors import placed
from sandbox.builder.instructions.titles import StepTitles
from sandbox.builder.stage import StageBuilder
from sandbox.builder.stage_graph import build_stages
from sandbox.builder.stage_state import Row, State
from sandbox.builder.stage_steps import build_stage
from sandbox.dockerfile.parser import parse_trigger
from sandbox.dockerfile.plan import ContextSource, Scratch, StageSource, Wanted
from sandbox.dockerfile.planner import plan
from sandbox.dockerfile.variables import DEFAULT_PATH, first_scope
from sandbox.errors import UsageError
from sandbox.models import oci

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from sandbox.builder.build_job import Build
    from sandbox.builder.request import BuildRequest
    from sandbox.dockerfile.plan import Plan, PlannedStage
    from sandbox.models.image import Image


class Executor:
    """Builds the target of *build* and the stages that it needs."""

    def __init__(self, build: Build) -> None:
        """Prepare the build; no stage starts yet."""
        self._build = build

    # ---- the graph ---------------------------------------------------------------------------

    def run(self) -> State:
        """Build the target with the stages that it needs; return the target's state."""
        build = self._build
        planned = self._plan()
        build.has_stages = build.has_stages or any(stage.sources for stage in planned.stages)
        if build.request.every_step:
            self._number_through(planned)
        else:
            bases = {stage.index: build.sources.base_image(stage) for stage in planned.stages}
            build.warnings = warn(
                build.dockerfile,
                wanted(build.request, build.own_platform),
                build.rules,
                {index: image for index, image in bases.items() if image is not None},
                build.triggers,
            )
        build_stages(
            planned.stages,
            lambda stage: self._stage(stage, planned),
            build.done,
            jobs=build.request.jobs,
            cancel=build.cancel,
        )
        state = build.done[planned.target]
        if state.is_host:
            with placed(build.dockerfile, build.dockerfile.stages[planned.target].base.span):
                raise UsageError(
                    "the target is based on the image 'host': the machine's files are no layer; "
                    "copy what is wanted into a stage FROM scratch"
                )
        return state

    def _number_through(self, planned: Plan) -> None:
        counts = [1 + len(stage.stage.instructions) for stage in planned.stages]
        for place, stage in enumerate(planned.stages):
            self._build.numbering[stage.index] = (1 + sum(counts[:place]), sum(counts))

    def _plan(self) -> Plan:
        """Plan with the ONBUILD triggers of base images, which may need further stages."""
        build = self._build
        triggers = build.triggers
        asked = wanted(build.request, build.own_platform)
        while True:
            planned = plan(build.dockerfile, asked, triggers=triggers)
            before = len(triggers)
            for stage in planned.stages:
                with placed(build.dockerfile, stage.stage.base.span):
                    image = build.sources.base_image(stage)
                if stage.index not in triggers and image is not None and image.config.on_build:
                    triggers[stage.index] = tuple(
                        parse_trigger(text, base=stage.stage.base, name=build.dockerfile.name)
                        for text in image.config.on_build
                    )
            if len(triggers) == before:
                return planned

    def _stage(self, planned: PlannedStage, whole: Plan) -> State:
        build = self._build
        build.check()
        with placed(build.dockerfile, planned.stage.base.span):
            state = self._base(planned, whole.global_arguments)
        return build_stage(StageBuilder(build, planned, state, self._titles(planned)))

    # ---- bases and sources -------------------------------------------------------------------

    def _base(self, planned: PlannedStage, arguments: Mapping[str, str]) -> State:
        build = self._build
        base = planned.base
        title = self._titles(planned).title
        if isinstance(base, StageSource):
            below, label = build.done[base.index], build.dockerfile.stages[base.index].label
            if below.is_host:
                raise UsageError(
                    f"a stage cannot be FROM {label}, which is based on the image 'host': "
                    "copy what is wanted from it"
                )
            self._tell_base(title, label)
            return below.copy()
        if isinstance(base, Scratch):
            self._tell_base(title, "scratch")
            config = oci.RunConfig(env=[f"PATH={DEFAULT_PATH}"], working_dir="/")
            return self._first(config, arguments, planned)
        image = build.sources.base_image(planned)
        if image is None:
            assert isinstance(base, ContextSource)
            raise UsageError(f"the context {base.name!r} is a directory: it is no base of a stage")
        shown = getattr(base, "reference", getattr(base, "name", ""))
        with build.reporter.doing(title(f"FROM {shown}")) as vertex:
            vertex.cached = True
            state = self._first(image.config, arguments, planned, image)
            if image.is_host:
                state.box = build.shop.box()
                state.is_host = True
        return state

    def _titles(self, planned: PlannedStage) -> StepTitles:
        build = self._build
        return StepTitles(
            planned, is_named=build.has_stages, numbering=build.numbering.get(planned.index)
        )

    def _tell_base(self, title: Callable[[str], str], name: str) -> None:
        build = self._build
        if build.request.every_step:
            build.reporter.end(build.reporter.start(title(f"FROM {name}")))

    def _first(
        self,
        config: oci.RunConfig,
        arguments: Mapping[str, str],
        planned: PlannedStage,
        image: Image | None = None,
    ) -> State:
        build = self._build
        import msgspec

        environment = dict(entry.partition("=")[::2] for entry in config.env or ())
        scope = first_scope(
            environment,
            build_arguments=build.request.build_args,
            global_arguments=arguments,
            escape=build.dockerfile.directives.escape,
        )
        system, machine, variant = _split(planned.platform or build.platform)
        state = State(
            config=msgspec.structs.replace(config, on_build=None),
            scope=scope, architecture=machine, os=system, variant=variant,
        )  # fmt: skip
        if image is not None:
            state.architecture = image.architecture or machine
            state.os, state.variant = image.os or system, image.variant
            state.layers, state.author = image.layers, image.author
            state.base_count, state.base_rows = len(image.layers), len(image.history)
            state.base_blobs = image.blobs or image.lower_blobs
            state.history = [_row(step) for step in image.history]
        return state


def wanted(request: BuildRequest, own_platform: str) -> Wanted:
    """Return the request's wishes for the plan."""
    return Wanted(
        target=request.target or "",
        build_arguments=request.build_args,
        platform=request.platform or own_platform,
        build_platform=own_platform,
        contexts=tuple(request.contexts),
    )


def _split(platform: str) -> tuple[str, str, str]:
    parts = [*platform.split("/"), "", ""]
    return parts[0], parts[1], parts[2]


def _row(step: oci.History) -> Row:
    return Row(step.created_by, step.empty_layer, step.created, step.comment, step.author)
