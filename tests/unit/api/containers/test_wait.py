# SPDX-License-Identifier: MIT
"""A wait is answered once the container's record has its end."""

from __future__ import annotations

import asyncio
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from sandbox.api.containers import wait
from sandbox.errors import ContainerNotFound
from sandbox.models.container import ContainerState
from sandbox.runtime.logs.writer import stamp

if TYPE_CHECKING:
    import pytest

DIED = 2_000_000_000
BEFORE = SimpleNamespace(config=SimpleNamespace(id="box"))
RUNS = ContainerState(status="running", started_at=stamp(DIED - 1))
RUNS_AGAIN = ContainerState(status="running", started_at=stamp(DIED + 1))
ENDED = ContainerState(status="exited", exit_code=3)


def settled(monkeypatch: pytest.MonkeyPatch, states: list[ContainerState]) -> Any:
    """Return the answer to a wait when the record has these states, one at each check."""

    async def sleep(_: float) -> None:
        """Return at once."""

    async def look(*_: object) -> Any:
        if not states:
            raise ContainerNotFound("no such container: box")
        return SimpleNamespace(state=states.pop(0))

    monkeypatch.setattr("sandbox.api.containers.wait.asyncio.sleep", sleep)
    call: Any = SimpleNamespace(
        work=SimpleNamespace(look=look),
        engine=SimpleNamespace(containers=SimpleNamespace(get=None)),
        is_gone=False,
    )
    return asyncio.run(wait.settled(call, BEFORE, DIED))  # type: ignore[arg-type]


def test_a_late_record_is_awaited(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settled(monkeypatch, [*[RUNS] * 200, ENDED]).state is ENDED


def test_a_restarted_container_is_not_awaited(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert settled(monkeypatch, [RUNS, RUNS_AGAIN, ENDED]).state is RUNS_AGAIN


def test_a_container_removed_meanwhile_gives_none(monkeypatch: pytest.MonkeyPatch) -> None:
    assert settled(monkeypatch, [RUNS]) is None
