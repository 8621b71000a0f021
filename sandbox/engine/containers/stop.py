# SPDX-License-Identifier: MIT
"""``stop``, ``kill``, ``restart``, ``pause`` and ``unpause``.

How it works: the supervisor of the container does it. Without a supervisor, or if it does not
answer, the processes get the signals directly.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sandbox.engine.containers import supervisor
from sandbox.engine.containers.state import clean_up, is_alive
from sandbox.errors import Conflict, RuntimeFailed, SandboxError
from sandbox.models.signals import parse_signal
from sandbox.runtime.process.kill import kill_guests

if TYPE_CHECKING:
    from sandbox.engine.containers.state import ContainerStates
    from sandbox.models.container import Container, ContainerConfig

_POLL = 0.02
# Seconds for a supervisor to kill its container; after that both are killed.
_ANSWER_TIME = 3.0


def stop(
    states: ContainerStates, name: str, *, signal_name: str | None, timeout: int | None
) -> None:
    """Signal the main process to end; after the timeout, kill all processes."""
    container = states.find(name)
    if not container.state.is_running:
        return
    message = _ending(container.config, signal_name, timeout)
    if supervisor.ask(container, {"verb": "stop", **message}):
        return
    _signal_main(container, message["signal"])
    if not _ends_within(container, message["timeout"]):
        kill_everything(container)
    _wait_for_record(states, container)


def restart(
    states: ContainerStates, name: str, *, signal_name: str | None, timeout: int | None
) -> None:
    """Stop a container if it runs, then start it."""
    container = states.find(name)
    if container.state.is_running:
        message = _ending(container.config, signal_name, timeout)
        if supervisor.ask(container, {"verb": "restart", **message}):
            return
        stop(states, name, signal_name=signal_name, timeout=timeout)
    supervisor.launch(states.layout, states.find(name)).close()


def kill(states: ContainerStates, name: str, signal_name: str) -> None:
    """Send a signal to the main process."""
    container = states.find(name)
    number = parse_signal(signal_name)
    _must_run(container, "kill")
    if not supervisor.ask(container, {"verb": "kill", "signal": number}):
        _signal_main(container, number)
    if number == signal.SIGKILL:
        if not _ends_within(container, 10):
            raise RuntimeFailed(f"container {name} does not end")
        _wait_for_record(states, container)


def pause(states: ContainerStates, name: str, verb: str = "pause") -> None:
    """Suspend all processes of a container, or resume them: *verb* is ``unpause``."""
    container = states.find(name)
    _must_run(container, verb)
    if not supervisor.ask(container, {"verb": verb}):
        raise Conflict(f"cannot {verb} {name}: it runs in the foreground of another command")


def kill_everything(container: Container) -> None:
    """Kill a container through its supervisor; if that fails, kill both."""
    from sandbox.runtime import attach

    state = container.state
    if state.socket:
        with suppress(SandboxError):
            message = {"verb": "stop", "signal": int(signal.SIGKILL), "timeout": 0}
            attach.ask(state.socket, message, seconds=_ANSWER_TIME)
            return
    if state.keeper and is_alive(state.keeper, state.keeper_start):
        os.kill(state.keeper, signal.SIGKILL)
    _kill_processes(container)
    if state.keeper:
        clean_up(container)


def _kill_processes(container: Container) -> None:
    """Kill the processes of a container; its supervisor then ends by itself."""
    state = container.state
    if is_alive(state.pid, state.pid_start):
        os.kill(state.pid, signal.SIGKILL)
    kill_guests(state.run_dir)
    deadline = time.monotonic() + 10
    while is_alive(state.pid, state.pid_start):
        if time.monotonic() > deadline:
            raise RuntimeFailed(
                f"cannot remove container {container.config.name}: process {state.pid} does not end"
            )
        time.sleep(0.002)


def _ending(
    config: ContainerConfig, signal_name: str | None, timeout: int | None
) -> dict[str, Any]:
    return {
        "signal": parse_signal(signal_name or config.stop_signal),
        "timeout": config.policy.stop_timeout if timeout is None else timeout,
    }


def _must_run(container: Container, verb: str) -> None:
    if not container.state.is_running:
        raise Conflict(
            f"cannot {verb} container: {container.config.name}: container "
            f"{container.config.id} is not running"
        )


def _signal_main(container: Container, number: int) -> None:
    state = container.state
    if is_alive(state.pid, state.pid_start):
        with suppress(ProcessLookupError):
            os.kill(state.pid, number)


def _ends_within(container: Container, seconds: float) -> bool:
    """Wait for the end of the main process; negative *seconds* mean no limit."""
    deadline = time.monotonic() + seconds
    state = container.state
    while is_alive(state.pid, state.pid_start):
        if seconds >= 0 and time.monotonic() > deadline:
            return False
        time.sleep(_POLL)
    return True


def _wait_for_record(states: ContainerStates, container: Container) -> None:
    """Wait until the supervisor has recorded the end of the container."""
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        try:
            if not states.find(container.config.id).state.is_running:
                return
        except SandboxError:
            return
        time.sleep(_POLL)
