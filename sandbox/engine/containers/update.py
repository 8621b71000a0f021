# SPDX-License-Identifier: MIT
"""``rename`` and ``update``: changes of a container's configuration."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.engine.containers import limits, supervisor
from sandbox.errors import Conflict
from sandbox.models.record import replace
from sandbox.store import events

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.engine.containers.state import ContainerStates
    from sandbox.models.container import Container, ContainerConfig


def rename(states: ContainerStates, name: str, new_name: str) -> None:
    """Give a container another name."""
    from sandbox.runtime.container_names import check_name

    container = states.find(name)
    wanted = check_name(new_name.removeprefix("/"))

    def decide(config: ContainerConfig, taken: frozenset[str]) -> ContainerConfig:
        if wanted == config.name:
            raise Conflict("renaming a container with the same name as its current name")
        if wanted in taken:
            raise Conflict(f'the container name "/{wanted}" is already in use')
        return replace(config, name=wanted)

    changed, _ = supervisor.change(states, container, decide)
    if container.state.is_running and container.config.network.endpoints:
        _rename_on_networks(states, changed)
    events.tell_container(
        states.layout, changed.config, "rename", oldName=f"/{container.config.name}"
    )


def _rename_on_networks(states: ContainerStates, container: Container) -> None:
    from sandbox.runtime.network import membership

    with membership.changing(states.layout) as change:
        member = change.register.get(container.config.id)
        if member is not None:
            change.rename(member, container.config.name)


def update(
    states: ContainerStates,
    name: str,
    changes: Mapping[str, Any],
    asked: Mapping[str, Any] | None,
) -> None:
    """Change fields of a container's policy, and the wishes that inspect shows."""
    container = states.find(name)

    def decide(config: ContainerConfig, _taken: frozenset[str]) -> ContainerConfig:
        if config.auto_remove and changes.get("restart", "no") != "no":
            raise Conflict("restart policy cannot be updated because AutoRemove is enabled")
        if container.state.is_running:
            limits.check_change(config, container.state, changes)
        host = {**config.asked.get("HostConfig", {}), **(asked or {})}
        return replace(
            config,
            policy=replace(config.policy, **changes),
            asked={**config.asked, "HostConfig": host} if asked else config.asked,
        )

    changed, is_told = supervisor.change(states, container, decide)
    if not is_told and container.state.is_running:
        limits.apply(changed)
    events.tell_container(states.layout, changed.config, "update")
