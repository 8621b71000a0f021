# SPDX-License-Identifier: MIT
"""One build, from the parsed file to the state of its target: bases, scopes, stages."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from sandbox.builder.cache.step_layer import Layering
from sandbox.builder.check import warn
from sandbox.builder.errors import Cancelled, placed
from sandbox.builder.file_views import HostView
from sandbox.builder.stage import StageBuilder
from sandbox.builder.stage_graph import build_stages
from sandbox.builder.stage_images import Sources
from sandbox.builder.stage_state import Row, State
from sandbox.dockerfile.parser import parse_trigger
from sandbox.dockerfile.plan import ContextSource, Scratch, StageSource, Wanted
from sandbox.dockerfile.planner import plan
from sandbox.dockerfile.variables import DEFAULT_PATH, first_scope
from sandbox.errors import UsageError
from sandbox.models import oci

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import ExitStack

    from sandbox.builder.build_context import Context
    from sandbox.builder.file_views import View
    from sandbox.builder.progress import Teller
    from sandbox.builder.request import BuildRequest
    from sandbox.builder.services import Services
    from sandbox.builder.workspace import Workshop
    from sandbox.dockerfile.instructions import Instruction
    from sandbox.dockerfile.plan import Plan, PlannedStage, Source
    from sandbox.dockerfile.stages import Dockerfile, Stage
    from sandbox.models.image import Image


class Build:
    """One build, from the parsed file to the state of its target."""

    def __init__(
        self,
        request: BuildRequest,
        dockerfile: Dockerfile,
        context: Context,
        shop: Workshop,
        services: Services,
        teller: Teller,
        *,
        own_platform: str,
    ) -> None:
        """Build nothing yet."""
        self.request = request
        self.dockerfile = dockerfile
        self.shop = shop
        self.teller = teller
        self.cancel = threading.Event()
        self.has_stages = len(dockerfile.stages) > 1  # an image that is copied from is one, too
        self.layering = Layering(shop, self.moment, teller if request.every_step else None)
        self.numbering: dict[int, tuple[int, int]] = {}
        """Where stages are numbered through: the number of the base, and of all steps."""
        self._own_platform = own_platform
        self._platform = request.platform or own_platform
        self._sources = Sources(request, shop, services, teller, self._platform)
        self._rules = context.rules()
        self._main = HostView(context.root, self._rules.excludes if self._rules.rules else None)
        self._triggers: dict[int, tuple[Instruction, ...]] = {}
        self.warnings: tuple[str, ...] = ()
        self._done: dict[int, State] = {}

    # ---- the graph ---------------------------------------------------------------------------

    def run(self) -> State:
        """Build what the target needs and return the target's state."""
        planned = self._plan()
        self.has_stages = self.has_stages or any(stage.sources for stage in planned.stages)
        if self.request.every_step:
            self._number_through(planned)
        else:
            bases = {stage.index: self._sources.base_image(stage) for stage in planned.stages}
            self.warnings = warn(
                self.dockerfile,
                wanted(self.request, self._own_platform),
                self._rules,
                {index: image for index, image in bases.items() if image is not None},
                self._triggers,
            )
        build_stages(
            planned.stages,
            lambda stage: self._stage(stage, planned),
            self._done,
            jobs=self.request.jobs,
            cancel=self.cancel,
        )
        state = self._done[planned.target]
        if state.is_host:
            with placed(self.dockerfile, self.dockerfile.stages[planned.target].base.span):
                raise UsageError(
                    "the target is based on the image 'host': the machine's files are no layer; "
                    "copy what is wanted into a stage FROM scratch"
                )
        return state

    def _number_through(self, planned: Plan) -> None:
        counts = [1 + len(stage.stage.instructions) for stage in planned.stages]
        for place, stage in enumerate(planned.stages):
            self.numbering[stage.index] = (1 + sum(counts[:place]), sum(counts))

    def check(self) -> None:
        """Go no further if another stage failed."""
        if self.cancel.is_set():
            raise Cancelled("canceled")

    def _plan(self) -> Plan:
        """Plan with the triggers that base images bring, which may need further stages."""
        triggers = self._triggers
        asked = wanted(self.request, self._own_platform)
        while True:
            planned = plan(self.dockerfile, asked, triggers=triggers)
            before = len(triggers)
            for stage in planned.stages:
                with placed(self.dockerfile, stage.stage.base.span):
                    image = self._sources.base_image(stage)
                if stage.index not in triggers and image is not None and image.config.on_build:
                    triggers[stage.index] = tuple(
                        parse_trigger(text, base=stage.stage.base, name=self.dockerfile.name)
                        for text in image.config.on_build
                    )
            if len(triggers) == before:
                return planned

    def _stage(self, planned: PlannedStage, whole: Plan) -> State:
        self.check()
        with placed(self.dockerfile, planned.stage.base.span):
            state = self._base(planned, whole.global_arguments)
        return StageBuilder(self, planned, state).run()

    # ---- bases and sources -------------------------------------------------------------------

    def _base(self, planned: PlannedStage, arguments: Mapping[str, str]) -> State:
        base = planned.base
        title = StageBuilder(self, planned, None).title  # type: ignore[arg-type]
        if isinstance(base, StageSource):
            below = self._done[base.index]
            if below.is_host:
                raise UsageError(
                    f"a stage cannot be FROM {self.dockerfile.stages[base.index].label}, which is "
                    "based on the image 'host': copy what is wanted from it"
                )
            self._tell_base(title, self.dockerfile.stages[base.index].label)
            return below.copy()
        if isinstance(base, Scratch):
            self._tell_base(title, "scratch")
            config = oci.RunConfig(env=[f"PATH={DEFAULT_PATH}"], working_dir="/")
            return self._first(config, arguments, planned)
        image = self._sources.base_image(planned)
        if image is None:
            assert isinstance(base, ContextSource)
            raise UsageError(f"the context {base.name!r} is a directory: it is no base of a stage")
        shown = getattr(base, "reference", getattr(base, "name", ""))
        with self.teller.doing(title(f"FROM {shown}")) as vertex:
            vertex.cached = True
            state = self._first(image.config, arguments, planned, image)
            if image.is_host:
                state.box = self.shop.box()
                state.is_host = True
        return state

    def _tell_base(self, title: Callable[[str], str], name: str) -> None:
        if self.request.every_step:
            self.teller.end(self.teller.start(title(f"FROM {name}")))

    def _first(
        self,
        config: oci.RunConfig,
        arguments: Mapping[str, str],
        planned: PlannedStage,
        image: Image | None = None,
    ) -> State:
        import msgspec

        environment = dict(entry.partition("=")[::2] for entry in config.env or ())
        scope = first_scope(
            environment,
            build_arguments=self.request.build_args,
            global_arguments=arguments,
            escape=self.dockerfile.directives.escape,
        )
        system, machine, variant = _split(planned.platform or self._platform)
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

    def context_view(self) -> View:
        """Return the files of the build's own context."""
        return self._main

    def view_of(self, source: Source, planned: PlannedStage, stack: ExitStack) -> View:
        """Return the files of a stage, an image or a named context."""
        return self._sources.view_of(source, planned, self._done, stack)

    def is_fresh(self, stage: Stage) -> bool:
        """Tell whether the stage must not use the cache."""
        return self.request.no_cache or bool(
            {stage.name, stage.label} & {name.lower() for name in self.request.no_cache_filter}
        )

    def moment(self) -> str:
        """Return the time that new steps have."""
        return moment(self.request.epoch)


def wanted(request: BuildRequest, own_platform: str) -> Wanted:
    """Return what a request asks of the plan."""
    return Wanted(
        target=request.target or "",
        build_arguments=request.build_args,
        platform=request.platform or own_platform,
        build_platform=own_platform,
        contexts=tuple(request.contexts),
    )


def moment(epoch: int | None) -> str:
    """Return the time as images have it: now, or *epoch*."""
    from datetime import UTC, datetime

    if epoch is None:
        return oci.timestamp()
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _split(platform: str) -> tuple[str, str, str]:
    parts = [*platform.split("/"), "", ""]
    return parts[0], parts[1], parts[2]


def _row(step: oci.History) -> Row:
    return Row(step.created_by, step.empty_layer, step.created, step.comment, step.author)
