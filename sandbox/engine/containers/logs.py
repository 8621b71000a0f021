# SPDX-License-Identifier: MIT
"""``logs``: the lines that a container wrote to its standard output and error."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandbox.errors import SandboxError, Unsupported
from sandbox.runtime.logs import reader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.engine.containers.state import ContainerStates
    from sandbox.models.container import Container
    from sandbox.runtime.logs.reader import Line, Reader, Span


def logs(states: ContainerStates, name: str, span: Span, *, follow: bool) -> Iterator[Line]:
    """Yield the lines of a container's log; with *follow*, until the container ends."""
    container = states.find(name)
    path = _path(states, container)

    def alive() -> bool:
        try:
            return states.find(container.config.id).state.is_running
        except SandboxError:
            return False

    return reader.read(path, span, alive=alive if follow else None)


def open_reader(states: ContainerStates, name: str, span: Span) -> Reader:
    """Return a reader of a container's log, past and future lines."""
    return reader.Reader(_path(states, states.find(name)), span)


def _path(states: ContainerStates, container: Container) -> str:
    if container.config.policy.log_driver == "none":
        raise Unsupported("configured logging driver does not support reading")
    return os.fspath(states.store.directory(container.config.id).log)
