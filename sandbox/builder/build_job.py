# SPDX-License-Identifier: MIT
"""One build: its request, and the state that all its stages and steps share."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from sandbox.builder.cache.step_layer import StepLayers
from sandbox.builder.errors import Cancelled
from sandbox.builder.file_views import HostView
from sandbox.builder.stage_images import Sources
from sandbox.models import oci

if TYPE_CHECKING:
    from contextlib import ExitStack

    from sandbox.builder.build_context import Context
    from sandbox.builder.file_views import View
    from sandbox.builder.progress import Reporter
    from sandbox.builder.request import BuildRequest
    from sandbox.builder.services import Services
    from sandbox.builder.stage_state import State
    from sandbox.builder.workspace import Workspace
    from sandbox.dockerfile.instructions import Instruction
    from sandbox.dockerfile.plan import PlannedStage, Source
    from sandbox.dockerfile.stages import Dockerfile, Stage


class Build:
    """The shared state of one build's stages and steps."""

    def __init__(
        self,
        request: BuildRequest,
        dockerfile: Dockerfile,
        context: Context,
        shop: Workspace,
        services: Services,
        reporter: Reporter,
        *,
        own_platform: str,
    ) -> None:
        """Prepare the build."""
        self.request = request
        self.dockerfile = dockerfile
        self.shop = shop
        self.reporter = reporter
        self.cancel = threading.Event()
        self.has_stages = len(dockerfile.stages) > 1  # so does an image to copy from
        self.step_layers = StepLayers(shop, self.moment, reporter if request.every_step else None)
        self.numbering: dict[int, tuple[int, int]] = {}
        """Where stages are numbered through: the number of the base, and of all steps."""
        self.own_platform = own_platform
        self.platform = request.platform or own_platform
        self.sources = Sources(request, shop, services, reporter, self.platform)
        self.rules = context.rules()
        self._main = HostView(context.root, self.rules.excludes if self.rules.rules else None)
        self.triggers: dict[int, tuple[Instruction, ...]] = {}
        self.warnings: tuple[str, ...] = ()
        self.done: dict[int, State] = {}
        """The stages that are built, by index."""

    def check(self) -> None:
        """Raise `Cancelled` if another stage failed."""
        if self.cancel.is_set():
            raise Cancelled("canceled")

    def context_view(self) -> View:
        """Return the files of the build's own context."""
        return self._main

    def view_of(self, source: Source, planned: PlannedStage, stack: ExitStack) -> View:
        """Return the files of a stage, an image or a named context."""
        return self.sources.view_of(source, planned, self.done, stack)

    def is_fresh(self, stage: Stage) -> bool:
        """Tell whether the stage must not use the cache."""
        return self.request.no_cache or bool(
            {stage.name, stage.label} & {name.lower() for name in self.request.no_cache_filter}
        )

    def moment(self) -> str:
        """Return the time of new steps."""
        return moment(self.request.epoch)


def moment(epoch: int | None) -> str:
    """Return the time in the format of images: now, or *epoch*."""
    from datetime import UTC, datetime

    if epoch is None:
        return oci.timestamp()
    return datetime.fromtimestamp(epoch, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
