# SPDX-License-Identifier: MIT
"""Commands report the truth even when a supervisor runs late on a busy machine."""

from __future__ import annotations

import os
import signal
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.engine import Engine
from sandbox.engine.containers import state, supervisor
from sandbox.engine.containers.state import ContainerStates
from sandbox.models.container import Container
from sandbox.runtime import attach
from tests.harness.containers import is_gone, is_stopped, server
from tests.harness.polling import until

if TYPE_CHECKING:
    from tests.harness.command import Sandbox

pytestmark = pytest.mark.guest


def test_after_kill_the_container_has_exited(
    engine: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The main process is killed while its supervisor is stopped until its state is read."""
    stopped: list[int] = []
    find = ContainerStates.find

    def ask(container: Container, message: dict[str, Any]) -> bool:
        now = container.state
        os.kill(now.keeper, signal.SIGSTOP)
        until(lambda: is_stopped(now.keeper))
        stopped.append(now.keeper)
        os.kill(now.pid, message["signal"])
        until(lambda: is_gone(now.pid))
        return True

    def look(self: ContainerStates, name: str) -> Container:
        found = find(self, name)
        for keeper in stopped:
            os.kill(keeper, signal.SIGCONT)
        stopped.clear()
        return found

    server(engine)
    monkeypatch.setattr(state, "_WRITTEN_WITHIN", 0.0)
    monkeypatch.setattr(supervisor, "ask", ask)
    monkeypatch.setattr(ContainerStates, "find", look)
    Engine().containers.kill("srv")
    assert Engine().containers.get("srv").state.status == "exited"


def test_wait_returns_the_exit_code_of_a_container_that_was_removed_meanwhile(
    engine: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    server(engine, "srv", "--rm")

    def ask(path: str, _: dict[str, Any], *, seconds: float | None = None) -> dict[str, Any]:
        engine.ok("stop", "srv")
        until(lambda: engine.ok("ps", "-aq") == "")
        raise attach.NobodyThere(f"{path} is gone after {seconds}")

    monkeypatch.setattr(attach, "ask", ask)
    assert Engine().containers.wait("srv") == 7
