# SPDX-License-Identifier: MIT
from __future__ import annotations

import os
import pathlib
import subprocess
from collections.abc import Callable, Iterator

import pytest

from sandbox.runtime.network import members
from sandbox.runtime.network.names import keeping
from sandbox.runtime.supervisor import name_watch
from sandbox.runtime.supervisor.name_watch import NameServerWatch
from sandbox.store.layout import Layout


class Session:
    """The part of the supervisor's loop that the watch uses."""

    def __init__(self) -> None:
        self.heard: dict[int, Callable[[], object]] = {}
        self.due: list[tuple[float, Callable[[], None]]] = []

    def listen(self, fd: int, heard: Callable[[], object]) -> None:
        self.heard[fd] = heard

    def turn_away(self, fd: int) -> None:
        self.heard.pop(fd, None)

    def after(self, seconds: float, action: Callable[[], None]) -> None:
        self.due.append((seconds, action))


class Servers:
    """Processes that stand for the server; each look at the networks starts a missing one."""

    def __init__(self) -> None:
        self.process: subprocess.Popen[bytes] | None = None
        self.started = 0

    def running(self, _directory: str) -> int:
        return self.process.pid if self.process is not None else 0

    def start(self) -> None:
        self.process = subprocess.Popen(["sleep", "1000"])
        self.started += 1

    def end(self) -> None:
        if self.process is not None:
            self.process.kill()
            self.process.wait()
            self.process = None


@pytest.fixture
def servers(monkeypatch: pytest.MonkeyPatch) -> Iterator[Servers]:
    made = Servers()

    class Changing:
        def __init__(self, _layout: Layout) -> None:
            made.start()

        def __enter__(self) -> None: ...

        def __exit__(self, *_: object) -> None: ...

    monkeypatch.setattr(keeping, "running", made.running)
    monkeypatch.setattr(name_watch.membership, "changing", Changing)
    yield made
    made.end()


def watch(tmp_path: pathlib.Path, session: Session) -> NameServerWatch:
    return NameServerWatch(session, Layout(tmp_path))  # type: ignore[arg-type]


def ended(session: Session, servers: Servers) -> float:
    """End the server, tell the watch, do what it plans; return how long it wanted to wait."""
    servers.end()
    [heard] = session.heard.values()
    heard()
    [(seconds, action)] = session.due
    session.due.clear()
    action()
    return seconds


def test_a_server_that_ended_is_started_again(tmp_path: pathlib.Path, servers: Servers) -> None:
    session = Session()
    servers.start()
    watched = watch(tmp_path, session)
    ended(session, servers)
    assert servers.started == 2
    assert len(session.heard) == 1, "the new one is watched"
    watched.close()
    assert session.heard == {}


def test_a_server_that_cannot_live_is_started_less_and_less_often(
    tmp_path: pathlib.Path, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    session = Session()
    servers.start()
    watched = watch(tmp_path, session)
    waits = [ended(session, servers) for _ in range(9)]
    rests = [wait - waits[0] for wait in waits]
    assert rests == [0, 1, 2, 4, 8, 16, 32, 64, 64]
    monkeypatch.setattr(name_watch, "_LONG", -1.0)
    assert ended(session, servers) == waits[0], "one that lived long is started at once"
    watched.close()


def test_the_first_container_starts_it_and_the_others_look_later(
    tmp_path: pathlib.Path, servers: Servers, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = members.LiveEndpoint("n", 2, "back", "127.5.0.2", 24)

    def member(pid: int) -> members.Member:
        given = {"name": "x", "hostname": "x", "number": 1, "address": "127.5.0.2", "run_dir": "/x"}
        return members.Member(id=str(pid), pid=pid, pid_start=1, endpoints=(place,), **given)

    waits = []
    for pids in ((os.getpid(), 1), (1, os.getpid())):
        monkeypatch.setattr(
            members, "live_members", lambda _layout, pids=pids: {p: member(p) for p in pids}
        )
        session = Session()
        servers.start()
        watched = watch(tmp_path, session)
        waits.append(ended(session, servers))
        watched.close()
        servers.end()
    assert waits == [0, 0.5]


def test_without_a_server_nothing_is_watched(tmp_path: pathlib.Path, servers: Servers) -> None:
    session = Session()
    watched = watch(tmp_path, session)
    assert session.heard == {}
    servers.start()
    watched.look()
    assert len(session.heard) == 1
    watched.close()
    watched.look()
    assert session.heard == {}
