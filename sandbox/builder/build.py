# SPDX-License-Identifier: MIT
"""One build, from the request to its results: the entry to this package."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from sandbox.builder import build_context
from sandbox.builder.build_job import Build
from sandbox.builder.errors import BuildFailed
from sandbox.builder.executor import Executor, wanted
from sandbox.builder.outputs import give_out
from sandbox.builder.progress import Reporter, Silent
from sandbox.builder.request import BuildResult
from sandbox.builder.workspace import PREFIX, Workspace, clean_up
from sandbox.dockerfile.errors import DockerfileError
from sandbox.dockerfile.parser import parse
from sandbox.errors import SandboxError, Unsupported, UsageError
from sandbox.models.architecture import own_platform
from sandbox.models.network import BUILD
from sandbox.runtime.process import reaper
from sandbox.store.atomic_files import workspace
from sandbox.store.networks import NetworkStore
from sandbox.store.unsynced_steps import drop_unsynced_steps

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.builder.progress import Progress
    from sandbox.builder.request import BuildRequest
    from sandbox.builder.services import Services
    from sandbox.store.layout import Layout


def build(
    request: BuildRequest, layout: Layout, services: Services, progress: Progress | None
) -> BuildResult:
    """Build and return the result; raise `BuildFailed` if a step fails."""
    _refuse(request)
    layout.prepare()
    request = replace(request, network=_network_of(request.network, layout))
    clean_up(layout)
    drop_unsynced_steps(layout)
    reaper.adopt_orphans()
    reporter = Reporter(progress or Silent())
    with workspace(layout, PREFIX) as scratch:
        shop = Workspace(layout, scratch, services.guest_program())
        try:
            return _build(request, shop, services, reporter)
        except DockerfileError as exc:
            raise BuildFailed(exc.reason, excerpt=exc.snippet) from exc
        except BuildFailed:
            raise
        except SandboxError as exc:
            raise BuildFailed(exc.message) from exc
        finally:
            shop.settle()


def _build(
    request: BuildRequest, shop: Workspace, services: Services, reporter: Reporter
) -> BuildResult:
    def folder(name: str) -> Path:
        return shop.folder(name)

    with reporter.doing("[internal] load build definition from Dockerfile"):
        try:
            context = build_context.open_context(request, folder)
        except UsageError as exc:
            raise BuildFailed(exc.message, begun=False) from exc
        raw = context.dockerfile.encode("utf-8", "surrogateescape")
        dockerfile = None if request.check else parse(raw, name=context.name)
    platform = own_platform()
    own = "/".join(part for part in (platform.os, platform.architecture, platform.variant) if part)
    if dockerfile is None:
        from sandbox.builder.check import check

        return check(context, wanted(request, own), context.rules(), services)
    work = Build(request, dockerfile, context, shop, services, reporter, own_platform=own)
    if request.cache_from:
        from sandbox.builder.cache.remote import RemoteCaches

        work.step_layers.remote = RemoteCaches(request.cache_from, shop, reporter).find
    state = Executor(work).run()
    if request.squash:
        from sandbox.builder.squash import squash

        squash(shop, state, work.moment())
    image_id = give_out(work, state, services)
    if request.cache_to:
        from sandbox.builder.cache.export import give_caches

        give_caches(work, state.layers)
    return BuildResult(image_id=image_id, names=request.tags, warnings=work.warnings)


def _network_of(mode: str, layout: Layout) -> str:
    """Return the network of RUN: ``default``, ``host``, ``none``, or a network's id."""
    if mode == BUILD:
        return mode
    network = NetworkStore(layout).find(mode)
    return network.name if network.driver != "bridge" else network.id


def _refuse(request: BuildRequest) -> None:
    if request.network.startswith("container:"):
        raise Unsupported(f"network mode {request.network!r} is not supported by builds")
    if request.memory:
        raise Unsupported("--memory is not supported for builds")
