# SPDX-License-Identifier: MIT
"""``create``: make a container in the store without starting it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandbox.engine.containers.config import check_platform, configure
from sandbox.errors import ImageNotFound, Unsupported
from sandbox.models.container import ContainerState
from sandbox.models.record import replace
from sandbox.models.reference import parse_reference
from sandbox.models.security import Security, joining
from sandbox.runtime import interceptor
from sandbox.runtime.process import reaper
from sandbox.store import events
from sandbox.store.images import ImageStore

if TYPE_CHECKING:
    from sandbox.engine.containers.config import CreateRequest
    from sandbox.engine.containers.state import ContainerStates
    from sandbox.models.container import Container, ContainerConfig
    from sandbox.models.image import Image
    from sandbox.store.layout import Layout


def create(
    states: ContainerStates, request: CreateRequest, state: ContainerState | None = None
) -> Container:
    """Make a container, and fill its new volumes from the image."""
    if request.interceptor not in interceptor.NAMES:
        raise Unsupported(
            f"interceptor {request.interceptor!r} is not available: "
            f"choose one of {', '.join(interceptor.NAMES)}"
        )
    if request.security != Security():
        from sandbox.engine.containers.security import completed

        request = replace(request, security=completed(request.security)[0])
    layout = states.layout
    image = _image(layout, request.image)
    check_platform(image, request)

    def decide(taken: frozenset[str]) -> ContainerConfig:
        # This runs under the store's lock, so the image cannot be removed any more.
        if not image.is_host and not layout.home(image.id).image(image.id).exists():
            raise ImageNotFound(f"unable to find image '{request.image}' locally")
        return _completed(states, configure(request, image, taken), request, image)

    container = states.store.create(
        decide, state=state or ContainerState(), durable=not request.auto_remove
    )
    try:
        if any(mount.type == "volume" for mount in container.config.mounts):
            from sandbox.engine.containers.mounts import fill_volumes

            fill_volumes(layout, container.config)
    except BaseException:
        states.forget(container)
        raise
    events.tell_container(layout, container.config, "create")
    return container


def create_ours(states: ContainerStates, request: CreateRequest) -> Container:
    """Make a container that this process is about to start.

    Its state names this process, so that no prune removes it before the start. If this process is
    killed, the next reader sees that and deletes a container of ``--rm``.
    """
    own = os.getpid()
    started = reaper.start_time_of(own) or 0
    return create(states, request, ContainerState(pid=own, pid_start=started))


def _completed(
    states: ContainerStates, config: ContainerConfig, request: CreateRequest, image: Image
) -> ContainerConfig:
    """Return the configuration with its mounts, and with ids of other containers for names."""
    if request.mounts or request.volumes_from or image.config.volumes:
        from sandbox.engine.containers.mounts import mounts_of

        config = replace(config, mounts=mounts_of(states, request, image))
    if config.namespaces.ipc_donor:
        donor = states.find(config.namespaces.ipc_donor).config
        modes = replace(config.namespaces, ipc=joining(donor.id))
        config = replace(config, namespaces=modes)
    network = config.network
    if network.joined or any(item.links for item in network.endpoints):
        from sandbox.engine.containers.links import with_containers

        config = with_containers(config, lambda name: states.find(name).config)
    return config


def _image(layout: Layout, name: str) -> Image:
    try:
        return ImageStore(layout).find(name)
    except ImageNotFound as exc:
        wanted = parse_reference(name).with_default_tag().familiar
        hint = exc.message.partition(" (")[2]
        raise ImageNotFound(
            f"unable to find image '{wanted}' locally" + (f" ({hint}" if hint else "")
        ) from None
