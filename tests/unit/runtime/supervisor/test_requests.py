# SPDX-License-Identifier: MIT
"""What clients may ask of a supervisor."""

from __future__ import annotations

import signal
from types import SimpleNamespace
from typing import Any

import pytest

from sandbox.models.container import ContainerState
from sandbox.runtime.supervisor.requests import Requests


class Client:
    """One who asks, and what was answered."""

    def __init__(self) -> None:
        self.said: list[dict[str, Any]] = []
        self.ended = self.attached = self.gives_input = False

    def say(self, message: dict[str, Any]) -> None:
        self.said.append(message)

    def send(self, _stream: int, data: bytes) -> None:
        self.said.append({"sent": data})

    def end(self) -> None:
        self.ended = True


class Box:
    """A supervisor's record and loop, without a container."""

    def __init__(self, status: str = "running") -> None:
        state = ContainerState(status=status)  # type: ignore[arg-type]
        self.container: Any = SimpleNamespace(
            state=state, config=SimpleNamespace(tty=True, policy=None)
        )
        self.told: list[str] = []
        self.sent: list[int] = []
        self.sizes: list[tuple[int, int]] = []
        self.holds: list[str] = []
        self.timers: list[Any] = []
        self.updates = 0
        self.stopped = self.again = False
        self.on_request: Any = None
        self.on_stop: Any = None
        self.run_dir = "/run"
        self.main = SimpleNamespace(send=self.sent.append)
        self.clients = SimpleNamespace(attached=[])
        self.pace = SimpleNamespace(
            hold=lambda why: self.holds.append(f"hold {why}"),
            release=lambda why: self.holds.append(f"release {why}"),
            free=lambda: self.holds.append("free"),
        )
        both: Any = self
        self.requests = Requests(both, both, on_update=self.update)

    def update(self) -> None:
        self.updates += 1

    def change(self, state: ContainerState) -> None:
        self.container.state = state

    def tell(self, action: str, **more: str) -> None:
        self.told.append(" ".join([action, *more.values()]))

    def resize(self, rows: int, columns: int) -> None:
        self.sizes.append((rows, columns))

    def after(self, seconds: float, action: Any) -> Any:
        self.timers.append(SimpleNamespace(seconds=seconds, action=action))
        return self.timers[-1]

    def ask(self, **message: Any) -> Client:
        client = Client()
        self.on_request(client, message)
        return client


def test_a_stop_is_answered_when_the_container_has_ended() -> None:
    box = Box()
    client = box.ask(verb="stop", signal=2, timeout=3)
    assert box.sent == [2]
    assert box.told == ["kill 2"]
    assert (box.stopped, client.said) == (True, [])
    assert box.timers[0].seconds == 3.0
    box.timers[0].action()
    assert box.sent == [2, signal.SIGKILL]
    box.requests.all_ended(137)
    assert client.said == [{"ok": True, "exit": 137}]
    assert client.ended


def test_a_patience_below_zero_never_ends() -> None:
    box = Box()
    box.ask(verb="stop", timeout=-1)
    assert box.timers == []


def test_a_restart_is_answered_when_it_runs_again_and_the_kill_is_called_off() -> None:
    box = Box()
    client = box.ask(verb="restart")
    assert (box.again, client.said) == (True, [])
    box.requests.run_began()
    assert client.said == [{"ok": True}]
    assert box.timers[0].action is None
    assert box.told[-1] == "restart"


def test_one_who_waits_for_the_next_exit_hears_of_a_run_and_others_of_the_end() -> None:
    box = Box()
    following, final = box.ask(verb="wait", condition="next-exit"), box.ask(verb="wait")
    box.requests.run_ended(1)
    assert (following.said, final.said) == ([{"ok": True, "exit": 1}], [])
    box.requests.all_ended(2)
    assert final.said == [{"ok": True, "exit": 2}]


def test_a_pause_is_recorded_and_undone_for_a_kill() -> None:
    box = Box()
    assert box.ask(verb="pause").said == [{"ok": True}]
    assert (box.container.state.status, box.holds) == ("paused", ["hold user"])
    box.ask(verb="kill")
    assert box.holds[-1] == "free"
    assert box.container.state.status == "running"
    assert box.sent == [signal.SIGKILL]


def test_another_signal_leaves_it_paused() -> None:
    box = Box("paused")
    box.ask(verb="kill", signal=int(signal.SIGUSR1))
    assert box.container.state.status == "paused"


@pytest.mark.parametrize(("status", "verb"), [("paused", "pause"), ("running", "unpause")])
def test_what_cannot_be_done_is_answered_as_a_conflict(status: str, verb: str) -> None:
    client = Box(status).ask(verb=verb)
    assert client.said[0]["status"] == 409
    assert client.ended


@pytest.mark.parametrize(
    ("message", "status"),
    [({"verb": "fly"}, 400), ({"verb": "resize"}, 400), ({"verb": "kill", "signal": "x"}, 400)],
)
def test_a_request_that_makes_no_sense_is_refused(message: dict[str, Any], status: int) -> None:
    client = Box().ask(**message)
    assert client.said[0]["status"] == status
    assert client.ended


def test_an_attached_client_is_told_of_the_terminal_and_its_size_is_taken() -> None:
    box = Box()
    client = box.ask(verb="attach", size=[24, 80], stdin=True)
    assert client.said == [{"ok": True, "tty": True}]
    assert (box.sizes, client.attached, client.gives_input) == ([(24, 80)], True, True)
    box.on_request(client, {"verb": "", "resize": [30, 90], "signal": 10})
    assert (box.sizes[-1], box.sent) == ((30, 90), [10])


def test_an_update_is_taken_over_and_recorded() -> None:
    box = Box()
    assert box.ask(verb="update").said == [{"ok": True}]
    assert box.updates == 1


def test_between_two_runs_a_stop_sends_nothing() -> None:
    box = Box("restarting")
    box.run_dir = None  # type: ignore[assignment]
    box.ask(verb="stop")
    assert (box.sent, box.stopped) == ([], True)
    box.requests.all_ended(0)


def test_a_restart_that_does_not_come_about_is_an_error() -> None:
    box = Box()
    client = box.ask(verb="restart")
    box.requests.all_ended(1)
    assert client.said[0]["error"] == "the container did not start again"
