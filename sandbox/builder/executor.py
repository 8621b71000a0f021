# SPDX-License-Identifier: MIT
"""The graph of stages, built as far as the target needs it, several at once.

How it works: each stage is a job of a thread pool, started when the stages it needs are
done. A step's layer is found by its key, in the store or in a cache elsewhere, or made.

Rules: the first failure stops everything. What was made until then stays and is found by
the next build.
"""

from __future__ import annotations

import os
import threading
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from typing import TYPE_CHECKING

from sandbox.builder.errors import Cancelled
from sandbox.builder.state import Row, State
from sandbox.builder.steps import StageBuilder
from sandbox.builder.views import HostView, TreeView
from sandbox.dockerfile.ignore import IgnoreRules
from sandbox.dockerfile.parser import parse_trigger
from sandbox.dockerfile.plan import (
    ContextSource,
    ImageSource,
    Scratch,
    StageSource,
    Wanted,
    plan,
)
from sandbox.dockerfile.scope import DEFAULT_PATH, first_scope
from sandbox.errors import UsageError
from sandbox.layers.make import LayerMaker
from sandbox.models import oci
from sandbox.models.digest import Digest, chain_ids
from sandbox.store import buildcache

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from contextlib import ExitStack
    from pathlib import Path

    from sandbox.builder.contexts import Context
    from sandbox.builder.progress import Teller, Vertex
    from sandbox.builder.request import BuildRequest
    from sandbox.builder.services import Services
    from sandbox.builder.views import View
    from sandbox.builder.workshop import Workshop
    from sandbox.dockerfile.instructions import Instruction
    from sandbox.dockerfile.plan import Plan, PlannedStage, Source
    from sandbox.dockerfile.stages import Dockerfile, Stage
    from sandbox.layers.unpack import UnpackedLayer
    from sandbox.models.image import Image

    Remote = Callable[[str], buildcache.Step | None]


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
        self.has_stages = len(dockerfile.stages) > 1
        self.used: dict[str, buildcache.Step] = {}
        """The steps of this build by key: what a cache elsewhere is told."""
        self.numbering: dict[int, tuple[int, int]] = {}
        """Where stages are numbered through: how many steps come before, and all of them."""
        self._services = services
        self._remote: Remote = lambda _: None
        self._own_platform = own_platform
        self._platform = request.platform or own_platform
        self._context = context
        rules = IgnoreRules.parse((context.ignore or "").encode("utf-8", "surrogateescape"))
        self._main = HostView(context.root, rules.excludes if rules.rules else None)
        self._images: dict[tuple[str, str], Image] = {}
        self._bases: dict[int, Image] = {}
        self._done: dict[int, State] = {}
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def take_from(self, remote: Remote) -> None:
        """Find steps in caches elsewhere, too."""
        self._remote = remote

    # ---- the graph ---------------------------------------------------------------------------

    def run(self) -> State:
        """Build what the target needs and return the target's state."""
        planned = self._plan()
        if self.request.every_step:
            self._number_through(planned)
        waiting = {stage.index: stage for stage in planned.stages}
        count = self.request.jobs or max(2, os.cpu_count() or 2)
        running: dict[Future[State], int] = {}
        with ThreadPoolExecutor(max_workers=count) as pool:
            try:
                while waiting or running:
                    for index in self._ready(waiting):
                        running[pool.submit(self._stage, waiting.pop(index), planned)] = index
                    done, _ = wait(running, return_when=FIRST_COMPLETED, timeout=0.5)
                    for future in done:
                        self._done[running.pop(future)] = future.result()
            except BaseException as exc:
                self.cancel.set()
                wait(running)
                raise self._reason(exc, list(running)) from exc
        state = self._done[planned.target]
        if state.is_host:
            raise UsageError(
                "the target is based on the image 'host': the machine's files are no layer; "
                "copy what is wanted into a stage FROM scratch"
            )
        return state

    def _number_through(self, planned: Plan) -> None:
        counts = [1 + len(stage.stage.instructions) for stage in planned.stages]
        for place, stage in enumerate(planned.stages):
            self.numbering[stage.index] = (sum(counts[:place]), sum(counts))

    def _ready(self, waiting: Mapping[int, PlannedStage]) -> list[int]:
        return [i for i, stage in waiting.items() if stage.dependencies <= self._done.keys()]

    def _reason(self, exc: BaseException, others: list[Future[State]]) -> BaseException:
        """Return the failure that made the others end."""
        if not isinstance(exc, Cancelled):
            return exc
        for future in others:
            failure = future.exception() if future.done() else None
            if failure is not None and not isinstance(failure, Cancelled):
                return failure
        return exc

    def check(self) -> None:
        """Go no further if another stage failed."""
        if self.cancel.is_set():
            raise Cancelled("canceled")

    def _plan(self) -> Plan:
        """Plan with the triggers that base images bring, which may need further stages."""
        triggers: dict[int, tuple[Instruction, ...]] = {}
        while True:
            planned = plan(self.dockerfile, self._wanted(), triggers=triggers)
            before = len(triggers)
            for stage in planned.stages:
                image = self._base_image(stage)
                if stage.index not in triggers and image is not None and image.config.on_build:
                    triggers[stage.index] = tuple(
                        parse_trigger(text, base=stage.stage.base, name=self.dockerfile.name)
                        for text in image.config.on_build
                    )
            if len(triggers) == before:
                return planned

    def _wanted(self) -> Wanted:
        return Wanted(
            target=self.request.target or "",
            build_arguments=self.request.build_args,
            platform=self._platform,
            build_platform=self._own_platform,
            contexts=tuple(self.request.contexts),
        )

    def _stage(self, planned: PlannedStage, whole: Plan) -> State:
        self.check()
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
        image = self._base_image(planned)
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

    def _base_image(self, planned: PlannedStage) -> Image | None:
        if planned.index not in self._bases:
            image = self._image_of(planned.base, planned)
            if image is None:
                return None
            self._bases[planned.index] = image
        return self._bases[planned.index]

    def _image_of(self, source: Source, planned: PlannedStage) -> Image | None:
        if isinstance(source, ImageSource):
            return self._image(source.reference, planned.platform or self._platform)
        if isinstance(source, ContextSource):
            address = self.request.contexts[source.name]
            if address.startswith("docker-image://"):
                name = address.removeprefix("docker-image://")
                return self._image(name, planned.platform or self._platform)
            if address.startswith("oci-layout://"):
                return self._kept(self._services.load_layout(address.removeprefix("oci-layout://")))
        return None

    def _image(self, name: str, platform: str) -> Image:
        with self._lock:
            known = self._images.get((name, platform))
        if known is not None:
            return known
        with self.teller.doing(f"[internal] load metadata for {name}"):
            image = self._services.base_image(name, platform=platform, pull=self.request.pull)
        self._kept(image)
        with self._lock:
            self._images[name, platform] = image
        return image

    def _kept(self, image: Image) -> Image:
        if not image.is_host:
            self.shop.keep([*image.layers, *(Digest(blob.digest) for blob in image.blobs)])
            self.shop.bring_home(image)
        return image

    def context_view(self) -> View:
        """Return the files of the build's own context."""
        return self._main

    def view_of(self, source: Source, planned: PlannedStage, stack: ExitStack) -> View:
        """Return the files of a stage, an image or a named context."""
        if isinstance(source, StageSource):
            state = self._done[source.index]
            tree = self.shop.tree(state.layers, box=state.box, is_host=state.is_host)
            return TreeView(stack.enter_context(tree))
        if isinstance(source, Scratch):
            return TreeView(stack.enter_context(self.shop.tree(())))
        image = self._image_of(source, planned)
        if image is not None:
            return TreeView(
                stack.enter_context(self.shop.tree(image.layers, is_host=image.is_host))
            )
        assert isinstance(source, ContextSource)
        return HostView(self._context_folder(self.request.contexts[source.name]))

    def _context_folder(self, address: str) -> str:
        from sandbox.builder import contexts

        if contexts.is_git(address):
            return os.fspath(contexts.clone(address, self.shop.folder("git")))
        path = os.path.abspath(address)
        if not os.path.isdir(path):
            raise UsageError(f"failed to get build context path {address!r}: not a directory")
        return path

    # ---- layers ------------------------------------------------------------------------------

    def is_fresh(self, stage: Stage) -> bool:
        """Tell whether the stage must not use the cache."""
        return self.request.no_cache or bool(
            {stage.name, stage.label} & {name.lower() for name in self.request.no_cache_filter}
        )

    def layer(
        self,
        key: str,
        vertex: Vertex,
        make: Callable[[Path], UnpackedLayer],
        *,
        fresh: bool,
        layers: tuple[Digest, ...],
    ) -> tuple[Digest, str]:
        """Return the layer of a step and when it was made: remembered, or made now."""
        with self._one_at_a_time(key):
            step = None if fresh and key not in self.used else self._remembered(key)
            if step is not None:
                vertex.cached = True
                self.used[key] = step
                return Digest(step.layer), step.created
            if self.request.every_step:
                self.teller.say(vertex, b"")  # it is really done
            made = make(self.shop.folder("layer"))
            step = buildcache.Step(
                layer=made.diff_id,
                created=self.moment(),
                description=vertex.name,
                size=made.info.size,
                chain=chain_ids([*layers, made.diff_id])[-1],
                boot=buildcache.boot_id(),
            )
            is_sure = not self._is_unsure(made)
            self.shop.add(key if is_sure else "", made, step)
            if is_sure:
                self.used[key] = step
            return made.diff_id, step.created

    def _is_unsure(self, made: UnpackedLayer) -> bool:
        """Tell whether the layer stands for changes that it does not hold."""
        return (made.path / "unsure").exists()

    def nothing(self, into: Path) -> UnpackedLayer:
        """Return the layer of a step on the machine itself, which is not remembered."""
        with LayerMaker(into) as maker:
            layer = maker.finish()
        (into / "unsure").touch()
        return layer

    def _remembered(self, key: str) -> buildcache.Step | None:
        step = buildcache.read_step(self.shop.layout, key)
        if step is not None:
            self.shop.keep([Digest(step.layer)])
            if self.shop.layout.layer(Digest(step.layer)).is_dir():
                return step
        return self._remote(key)

    def _one_at_a_time(self, key: str) -> threading.Lock:
        with self._lock:
            return self._locks.setdefault(key, threading.Lock())

    def moment(self) -> str:
        """Return the time that new steps have."""
        return moment(self.request.epoch)


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
