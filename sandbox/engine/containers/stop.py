# SPDX-License-Identifier: MIT
"""Containers that run by themselves: start, stop, kill, pause, wait, attach.

How it works: a supervisor (`sandbox.runtime.supervisor.main`) is executed for each; what is
wanted of it goes through its socket. A container in the foreground without one, or
whose supervisor does not answer, is dealt with through its processes.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sandbox.errors import Conflict, RuntimeFailed, SandboxError, Unsupported
from sandbox.models.container import ContainerState
from sandbox.models.record import replace
from sandbox.models.signals import parse_signal
from sandbox.runtime.process import reaper
from sandbox.store import events

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable, Iterator, Mapping

    from sandbox.engine.containers import ContainerVerbs
    from sandbox.engine.creation import CreateRequest
    from sandbox.models.container import Container, ContainerConfig
    from sandbox.runtime.attach import Wishes
    from sandbox.runtime.logs.reader import Line, Span

    _Base = ContainerVerbs
else:
    _Base = object

_POLL = 0.02


class RunningVerbs(_Base):
    """The part of `Engine` that is about life and death."""

    def run_detached(
        self, request: CreateRequest, *, on_create: Callable[[Container], None]
    ) -> Container:
        """Create a container and start it; it goes on without us."""
        container = self._create_ours(request)
        try:
            on_create(container)
            with self._launch(container):
                return container
        except SandboxError:
            self._drop(container)
            raise

    def run_attached(
        self, request: CreateRequest, wishes: Wishes, *, on_create: Callable[[Container], None]
    ) -> int | None:
        """Create and start a container and stay with it; None if the user detached."""
        container = self._create_ours(request)
        try:
            on_create(container)
            events.tell_container(self.layout, container.config, "attach")
            connection = self._launch(container, wishes)
        except SandboxError:
            self._drop(container)
            raise
        with connection:
            return self._stay(container, connection, wishes)

    def _stay(self, container: Container, connection: socket.socket, wishes: Wishes) -> int | None:
        from sandbox.runtime import attach

        code = attach.stay(connection, wishes)
        if code is None:
            events.tell_container(self.layout, container.config, "detach")
        return code

    def _create_ours(self, request: CreateRequest) -> Container:
        own = os.getpid()
        # Until it is started nobody prunes it; should this process be killed now, a
        # container that removes itself is known to be left over.
        started = reaper.start_time_of(own) or 0
        return self._create(request, ContainerState(pid=own, pid_start=started))

    def _drop(self, container: Container) -> None:
        if container.config.auto_remove:
            self._forget(container)

    def start_container(self, name: str, wishes: Wishes | None = None) -> int | None:
        """Start a container; with *wishes* stay with it to the end.

        One that runs already is left as it is, as Docker does.
        """
        container = self._startable(self.container(name))
        if container.state.is_running:
            return self.attach(name, wishes) if wishes else None
        if wishes:
            events.tell_container(self.layout, container.config, "attach")
        connection = self._launch(container, wishes)
        with connection:
            return self._stay(container, connection, wishes) if wishes else None

    def _startable(self, container: Container) -> Container:
        if container.state.status == "paused":
            raise Conflict("cannot start a paused container, try unpause instead")
        return container

    def _launch(self, container: Container, wishes: Wishes | None = None) -> socket.socket:
        """Start a supervisor and its container; return the connection to it."""
        from sandbox.runtime import attach
        from sandbox.runtime.supervisor.spawn import Plan, spawn

        plan = Plan(
            root=os.fspath(self.layout.root),
            container_id=container.config.id,
            place=self._place(container),
            attach=wishes is not None,
            stdin=wishes is not None and wishes.stdin,
            size=attach.window_size(stdin=True) if wishes and wishes.tty else None,
        )
        ours = spawn(plan)
        try:
            attach.understand(_read_line(ours))
        except BaseException:
            ours.close()
            raise
        return ours

    def attach(self, name: str, wishes: Wishes) -> int | None:
        """Join a container that runs; None if the user detached."""
        from sandbox.runtime import attach
        from sandbox.runtime.supervisor import protocol

        container = self.container(name)
        state = container.state
        if not state.is_running:
            raise Conflict("you cannot attach to a stopped container, start it first")
        if state.status == "paused":
            raise Conflict("you cannot attach to a paused container, unpause it first")
        if not state.socket:
            raise Conflict(f"cannot attach to {name}: it runs in the foreground of another command")
        tty = container.config.tty
        wishes = replace(wishes, stdin=wishes.stdin and container.config.open_stdin, tty=tty)
        size = attach.window_size(stdin=True) if tty else None
        try:
            connection = protocol.connect(state.socket)
        except OSError as exc:
            raise attach.NobodyThere(f"the supervisor does not answer: {exc}") from exc
        with connection:
            request = {"verb": "attach", "stdin": wishes.stdin, "size": size}
            connection.sendall(protocol.line(request))
            attach.understand(protocol.read_line(connection))
            events.tell_container(self.layout, container.config, "attach")
            return self._stay(container, connection, wishes)

    def stop(
        self, name: str, *, signal_name: str | None = None, timeout: int | None = None
    ) -> None:
        """Ask the main process to end, and kill everything if it does not."""
        container = self.container(name)
        if not container.state.is_running:
            return
        message = _ending(container.config, signal_name, timeout)
        if self._asked(container, {"verb": "stop", **message}):
            return
        self._signal_main(container, message["signal"])
        if not self._ends_within(container, message["timeout"]):
            self._kill_hard(container)
        self._settled(container)

    def restart(
        self, name: str, *, signal_name: str | None = None, timeout: int | None = None
    ) -> None:
        """Stop a container, if it runs, and start it."""
        container = self.container(name)
        if container.state.is_running:
            message = _ending(container.config, signal_name, timeout)
            if self._asked(container, {"verb": "restart", **message}):
                return
            self.stop(name, signal_name=signal_name, timeout=timeout)
        self._launch(self.container(name)).close()

    def kill(self, name: str, signal_name: str = "KILL") -> None:
        """Send a signal to the main process."""
        container = self.container(name)
        number = parse_signal(signal_name)
        self._must_run(container, "kill")
        if not self._asked(container, {"verb": "kill", "signal": number}):
            self._signal_main(container, number)
        if number == signal.SIGKILL:
            if not self._ends_within(container, 10):
                raise RuntimeFailed(f"container {name} does not end")
            self._settled(container)

    def pause(self, name: str) -> None:
        """Stop all processes of a container where they are."""
        self._change_pace(name, "pause")

    def unpause(self, name: str) -> None:
        """Let a paused container go on."""
        self._change_pace(name, "unpause")

    def _change_pace(self, name: str, verb: str) -> None:
        container = self.container(name)
        self._must_run(container, verb)
        if not self._asked(container, {"verb": verb}):
            raise Conflict(f"cannot {verb} {name}: it runs in the foreground of another command")

    def wait(self, name: str, *, condition: str = "not-running") -> int:
        """Return the exit code once the container has ended."""
        container = self.container(name)
        if condition == "not-running" and not container.state.is_running:
            return container.state.exit_code
        if container.state.socket:
            from sandbox.runtime import attach

            with suppress(attach.NobodyThere):
                message = {"verb": "wait", "condition": condition}
                return int(attach.ask(container.state.socket, message)["exit"])
        while container.state.is_running:
            time.sleep(_POLL)
            try:
                container = self.container(container.config.id)
            except SandboxError:  # it removed itself
                return self._told_code(container)
        return container.state.exit_code

    def _told_code(self, container: Container) -> int:
        """Return the exit code that the last event of a container's end tells of."""
        ends = [
            int(event["Actor"]["Attributes"].get("exitCode", 137))
            for event in events.read(self.layout, since=0, until=time.time())
            if event["Action"] == "die" and event["Actor"]["ID"] == container.config.id
        ]
        return ends[-1] if ends else 137

    def rename(self, name: str, new_name: str) -> None:
        """Give a container another name."""
        from sandbox.runtime.container_names import check_name

        container = self.container(name)
        wanted = check_name(new_name.removeprefix("/"))

        def decide(config: ContainerConfig, taken: frozenset[str]) -> ContainerConfig:
            if wanted == config.name:
                raise Conflict("renaming a container with the same name as its current name")
            if wanted in taken:
                raise Conflict(f'the container name "/{wanted}" is already in use')
            return replace(config, name=wanted)

        changed = self._containers.change(container, decide)
        self._told(changed)
        if container.state.is_running and container.config.network.endpoints:
            self._rename_on_networks(changed)
        events.tell_container(
            self.layout, changed.config, "rename", oldName=f"/{container.config.name}"
        )

    def _rename_on_networks(self, container: Container) -> None:
        from sandbox.runtime.network import membership

        with membership.changing(self.layout) as change:
            seat = change.register.get(container.config.id)
            if seat is not None:
                change.rename(seat, container.config.name)

    def update(self, name: str, *, asked: Mapping[str, Any] | None = None, **changes: Any) -> None:
        """Change parts of a container's policy, and what inspect shows as *asked* for."""
        from sandbox.engine import holding

        container = self.container(name)

        def decide(config: ContainerConfig, _taken: frozenset[str]) -> ContainerConfig:
            if config.auto_remove and changes.get("restart", "no") != "no":
                raise Conflict("restart policy cannot be updated because AutoRemove is enabled")
            if container.state.is_running:
                holding.check_change(config, container.state, changes)
            host = {**config.asked.get("HostConfig", {}), **(asked or {})}
            return replace(
                config,
                policy=replace(config.policy, **changes),
                asked={**config.asked, "HostConfig": host} if asked else config.asked,
            )

        changed = self._containers.change(container, decide)
        if not self._told(changed) and container.state.is_running:
            holding.apply(changed)
        events.tell_container(self.layout, changed.config, "update")

    def logs(self, name: str, span: Span, *, follow: bool = False) -> Iterator[Line]:
        """Yield what the container said; *follow* until it ends."""
        from sandbox.runtime.logs import reader

        container = self.container(name)
        if container.config.policy.log_driver == "none":
            raise Unsupported("configured logging driver does not support reading")
        path = os.fspath(self._containers.directory(container.config.id).log)

        def alive() -> bool:
            try:
                return self.container(container.config.id).state.is_running
            except SandboxError:
                return False

        return reader.read(path, span, alive=alive if follow else None)

    def events(self, *, since: float, until: float | None) -> Iterator[dict[str, Any]]:
        """Yield what happens, from *since* (seconds since 1970) on until *until*."""
        return events.read(self.layout, since=since, until=until)

    def _told(self, container: Container) -> bool:
        return container.state.is_running and self._asked(container, {"verb": "update"})

    def _must_run(self, container: Container, verb: str) -> None:
        if not container.state.is_running:
            raise Conflict(
                f"cannot {verb} container: {container.config.name}: container "
                f"{container.config.id} is not running"
            )

    def _asked(self, container: Container, message: dict[str, Any]) -> bool:
        """Have the supervisor do it; False if there is none."""
        from sandbox.runtime import attach

        if not container.state.socket:
            return False
        try:
            attach.ask(container.state.socket, message)
        except attach.NobodyThere:
            return False
        return True

    def _signal_main(self, container: Container, number: int) -> None:
        state = container.state
        if state.pid and reaper.start_time_of(state.pid) == state.pid_start:
            with suppress(ProcessLookupError):
                os.kill(state.pid, number)

    def _ends_within(self, container: Container, seconds: float) -> bool:
        deadline = time.monotonic() + seconds
        state = container.state
        while reaper.start_time_of(state.pid) == state.pid_start:
            if seconds >= 0 and time.monotonic() > deadline:
                return False
            time.sleep(_POLL)
        return True

    def _settled(self, container: Container) -> None:
        """Wait until whoever watches it has written down that it ended."""
        deadline = time.monotonic() + 10
        while time.monotonic() < deadline:
            try:
                if not self.container(container.config.id).state.is_running:
                    return
            except SandboxError:
                return
            time.sleep(_POLL)


def _ending(
    config: ContainerConfig, signal_name: str | None, timeout: int | None
) -> dict[str, Any]:
    return {
        "signal": parse_signal(signal_name or config.stop_signal),
        "timeout": config.policy.stop_timeout if timeout is None else timeout,
    }


def _read_line(connection: socket.socket) -> bytes:
    from sandbox.runtime.supervisor import protocol

    try:
        return protocol.read_line(connection)
    except OSError:
        return b""
