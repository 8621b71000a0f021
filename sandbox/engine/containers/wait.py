# SPDX-License-Identifier: MIT
"""``wait``: wait for the end of a container."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import TYPE_CHECKING

from sandbox.errors import SandboxError
from sandbox.runtime import attach
from sandbox.store import events

if TYPE_CHECKING:
    from sandbox.engine.containers.state import ContainerStates
    from sandbox.models.container import Container

_POLL = 0.02


def wait(states: ContainerStates, name: str, condition: str) -> int:
    """Wait for the end of a container, and return its exit code."""
    container = states.find(name)
    if condition == "not-running" and not container.state.is_running:
        return container.state.exit_code
    if container.state.socket:
        with suppress(attach.NobodyThere):
            message = {"verb": "wait", "condition": condition}
            return int(attach.ask(container.state.socket, message)["exit"])
    while container.state.is_running:
        time.sleep(_POLL)
        try:
            container = states.find(container.config.id)
        except SandboxError:  # it was removed at its end
            return _code_of_event(states, container)
    return container.state.exit_code


def _code_of_event(states: ContainerStates, container: Container) -> int:
    """Return the exit code from the last event of a container's end."""
    ends = [
        int(event["Actor"]["Attributes"].get("exitCode", 137))
        for event in events.read(states.layout, since=0, until=time.time())
        if event["Action"] == "die" and event["Actor"]["ID"] == container.config.id
    ]
    return ends[-1] if ends else 137
