# SPDX-License-Identifier: MIT
"""The requests of clients to a supervisor: the verbs of docs/control-protocol.md.

Rules: the loop answers a request when its effect has come about; no call waits. A refusal
uses Docker's words.

Does not know: how output and input travel.
"""

from __future__ import annotations

import signal
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sandbox.errors import Conflict, SandboxError, UsageError
from sandbox.runtime import lifecycle
from sandbox.runtime.supervisor import protocol

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.runtime.supervisor.clients import Client
    from sandbox.runtime.supervisor.container_record import ContainerRecord
    from sandbox.runtime.supervisor.event_loop import Session, Timer

_REASON = "user"  # the reason of a pause


class Requests:
    """Answers the clients of one supervisor."""

    def __init__(
        self, record: ContainerRecord, session: Session, *, on_update: Callable[[], None]
    ) -> None:
        """Handle the requests of *session*; call *on_update* after a change of the policy."""
        self._record = record
        self._session = session
        self._on_update = on_update
        self._waiting: list[Client] = []
        self._next_exit: list[Client] = []
        self._restarting: list[Client] = []
        self._deadline: Timer | None = None
        self.is_stopping = False
        session.on_request = self._handle
        session.on_stop = lambda: self._begin_end(signal.SIGTERM, 8.0)
        self._verbs: dict[str, Callable[[Client, dict[str, Any]], None]] = {
            "": self._control,
            "attach": self._attach,
            "wait": self._wait,
            "stop": self._stop,
            "restart": self._restart,
            "kill": self._kill,
            "pause": self._pause,
            "unpause": self._unpause,
            "resize": self._resize,
            "update": self._update,
        }

    def _handle(self, client: Client, message: dict[str, Any]) -> None:
        try:
            verb = self._verbs.get(str(message.get("verb")))
            if verb is None:
                raise UsageError(f"unknown verb {message.get('verb')!r}")
            verb(client, message)
        except SandboxError as exc:
            status = exc.http_status
            client.say({"error": exc.message, "code": exc.exit_code, "status": status})
            client.end()
        except (TypeError, ValueError, KeyError) as exc:
            client.say({"error": f"malformed request: {exc!r}", "code": 1, "status": 400})
            client.end()

    def _done(self, client: Client, **more: Any) -> None:
        client.say({"ok": True, **more})
        client.end()

    # ---- verbs ------------------------------------------------------------------------

    def _control(self, _client: Client, message: dict[str, Any]) -> None:
        if "resize" in message:
            rows, columns = message["resize"]
            self._session.resize(int(rows), int(columns))
        if "signal" in message:
            self._session.main.send(int(message["signal"]))

    def _attach(self, client: Client, message: dict[str, Any]) -> None:
        if message.get("size"):
            rows, columns = message["size"]
            self._session.resize(int(rows), int(columns))
        client.say({"ok": True, "tty": self._record.container.config.tty})
        client.attached = True
        client.gives_input = bool(message.get("stdin"))

    def _wait(self, client: Client, message: dict[str, Any]) -> None:
        which = self._next_exit if message.get("condition") == "next-exit" else self._waiting
        which.append(client)

    def _stop(self, client: Client, message: dict[str, Any]) -> None:
        self._waiting.append(client)
        self.is_stopping = True
        self._record.stopped = True
        self._record.again = False
        number = int(message.get("signal") or signal.SIGTERM)
        self._record.tell("kill", signal=str(number))
        self._begin_end(number, float(message.get("timeout", 10)))

    def _restart(self, client: Client, message: dict[str, Any]) -> None:
        self._restarting.append(client)
        self.is_stopping = True
        self._record.again = True
        number = int(message.get("signal") or signal.SIGTERM)
        self._begin_end(number, float(message.get("timeout", 10)))

    def _kill(self, client: Client, message: dict[str, Any]) -> None:
        number = int(message.get("signal") or signal.SIGKILL)
        self._record.stopped = True
        if self._record.container.state.status == "paused" and number == signal.SIGKILL:
            self._set_moving()
        self._session.main.send(number)
        self._record.tell("kill", signal=str(number))
        self._done(client)

    def _pause(self, client: Client, _message: dict[str, Any]) -> None:
        state = lifecycle.paused(self._record.container.state)
        self._session.pace.hold(_REASON)
        self._record.change(state)
        self._record.tell("pause")
        self._done(client)

    def _unpause(self, client: Client, _message: dict[str, Any]) -> None:
        state = lifecycle.unpaused(self._record.container.state)
        self._session.pace.release(_REASON)
        self._record.change(state)
        self._record.tell("unpause")
        self._done(client)

    def _resize(self, client: Client, message: dict[str, Any]) -> None:
        self._session.resize(int(message["rows"]), int(message["columns"]))
        self._done(client)

    def _update(self, client: Client, _message: dict[str, Any]) -> None:
        self._on_update()
        self._record.change(self._record.container.state)  # rewrites a damaged record
        self._done(client)

    # ---- ending ------------------------------------------------------------------------

    def _begin_end(self, number: int, patience: float) -> None:
        if self._session.run_dir is None:
            return  # between two runs the loop sees the request
        self._set_moving()
        main = self._session.main
        main.send(number)
        if self._deadline is not None:
            self._deadline.action = None
        if patience >= 0:
            self._deadline = self._session.after(patience, lambda: main.send(signal.SIGKILL))

    def _set_moving(self) -> None:
        """Continue a paused container, which could not end otherwise."""
        with suppress(Conflict):
            state = lifecycle.unpaused(self._record.container.state)
            self._session.pace.free()
            self._record.change(state)

    def run_began(self) -> None:
        """Answer the clients that waited for another run."""
        self.is_stopping = False
        if self._deadline is not None:
            self._deadline.action = None
        if self._restarting:
            self._record.tell("restart")
        for client in self._restarting:
            self._done(client)
        self._restarting.clear()

    def run_ended(self, code: int) -> None:
        """Report the end of this run, which another run follows."""
        for client in self._session.clients.attached:
            client.send(protocol.CONTROL, protocol.line({"exit": code}))
            client.end()
        for client in self._next_exit:
            self._done(client, exit=code)
        self._next_exit.clear()

    def all_ended(self, code: int) -> None:
        """Report the end of the last run to every client."""
        self.run_ended(code)
        for client in self._waiting:
            self._done(client, exit=code)
        problem = {"error": "the container did not start again", "code": 1, "status": 500}
        for client in self._restarting:
            client.say(problem)
            client.end()
