# SPDX-License-Identifier: MIT
"""What can be done with containers: one method a verb.

Rules: a verb decides, then calls one thing below. A container whose main process is
gone is told so here (`ContainerVerbs.container`), whatever its file still says.

Does not know: how results are shown.
"""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import TYPE_CHECKING

from sandbox.engine.connecting import with_containers
from sandbox.engine.creation import check_platform, configure, now
from sandbox.engine.mounting import attached, fill_volumes
from sandbox.errors import (
    Conflict,
    ContainerNotFound,
    ImageNotFound,
    RuntimeFailed,
    SandboxError,
    Unsupported,
)
from sandbox.models.container import ContainerState
from sandbox.models.record import replace
from sandbox.models.reference import parse_reference
from sandbox.runtime import interceptor, lifecycle
from sandbox.runtime.process import reaper
from sandbox.runtime.process.kill import kill_guests
from sandbox.store import events, resource_events
from sandbox.store.containers import ContainerStore
from sandbox.store.volumes import drop_anonymous

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.engine.creation import CreateRequest
    from sandbox.models.container import Container, ContainerConfig
    from sandbox.models.image import Image
    from sandbox.runtime.launch import Place
    from sandbox.runtime.process.start import Attachment
    from sandbox.store.layout import Layout


_TOLD_WITHIN = 1.0  # seconds
_POLL = 0.005
_ANSWER_TIME = 3.0  # seconds; a supervisor that needs longer is killed


class ContainerVerbs:
    """The container half of `Engine`."""

    layout: Layout

    @property
    def _containers(self) -> ContainerStore:
        return ContainerStore(self.layout)

    def create(self, request: CreateRequest) -> Container:
        """Make a container that has not been started."""
        return self._create(request, ContainerState())

    def _create(self, request: CreateRequest, state: ContainerState) -> Container:
        if request.interceptor not in interceptor.NAMES:
            raise Unsupported(
                f"interceptor {request.interceptor!r} is not available: "
                f"choose one of {', '.join(interceptor.NAMES)}"
            )
        image = self._image_to_run(request.image)
        check_platform(image, request)

        def decide(taken: frozenset[str]) -> ContainerConfig:
            # Under the store's lock: from here on the image cannot be removed.
            if not image.is_host and not self.layout.home(image.id).image(image.id).exists():
                raise ImageNotFound(f"unable to find image '{request.image}' locally")
            config = configure(request, image, taken)
            config = replace(config, mounts=attached(self, request, image))
            return with_containers(config, self._named)

        container = self._containers.create(decide, state=state, durable=not request.auto_remove)
        try:
            fill_volumes(self.layout, container.config)
        except BaseException:
            self._forget(container)
            raise
        events.tell_container(self.layout, container.config, "create")
        return container

    def _named(self, name: str) -> ContainerConfig:
        return self.container(name).config

    def _forget(self, container: Container, *, volumes: bool = True) -> None:
        """Delete a container, with the volumes that only it knows."""
        self._containers.remove(container)
        if volumes:
            drop_anonymous(self.layout, container.config)

    def _image_to_run(self, name: str) -> Image:
        from sandbox.store.images import ImageStore

        try:
            return ImageStore(self.layout).find(name)
        except ImageNotFound as exc:
            wanted = parse_reference(name).with_default_tag().familiar
            hint = exc.message.partition(" (")[2]
            raise ImageNotFound(
                f"unable to find image '{wanted}' locally" + (f" ({hint}" if hint else "")
            ) from None

    def run(
        self,
        request: CreateRequest,
        attachment: Attachment,
        *,
        on_create: Callable[[Container], None],
    ) -> int:
        """Create a container, run it to its end, and return its exit code."""
        own = os.getpid()
        started = reaper.start_time_of(own) or 0
        container = self._create(request, ContainerState(pid=own, pid_start=started))
        try:
            on_create(container)
            return self._run(container, attachment)
        finally:
            self._forget_if_told(container)

    def start(self, name: str, attachment: Attachment) -> int:
        """Run an existing container to its end and return its exit code."""
        container = self.container(name)
        try:
            return self._run(container, attachment)
        finally:
            self._forget_if_told(container)

    def _forget_if_told(self, container: Container) -> None:
        if container.config.auto_remove:
            self._forget(container)
            events.tell_container(self.layout, container.config, "destroy")

    def _run(self, container: Container, attachment: Attachment) -> int:
        from sandbox.runtime import launch

        store = self._containers
        held = store.hold(container)
        current = container
        try:
            place = self._place(container)

            def on_start(process: lifecycle.MainProcess) -> None:
                nonlocal current
                state = lifecycle.started(current.state, process, now())
                current = store.write_state(current, state)
                resource_events.tell_begin(self.layout, container.config)
                events.tell_container(self.layout, container.config, "start")

            code = launch.run(container.config, place, attachment, on_start=on_start)
            events.tell_container(self.layout, container.config, "die", exitCode=str(code))
            resource_events.tell_end(self.layout, container.config)
            self._record(current, lifecycle.exited(current.state, code, now()))
            return code
        except SandboxError as exc:
            state = current.state
            if state.is_running:
                state = lifecycle.exited(state, exc.exit_code, now())
            else:
                state = lifecycle.failed(state, exc.exit_code, exc.message)
            self._record(current, state)
            raise
        finally:
            os.close(held)

    def _record(self, container: Container, state: ContainerState) -> None:
        try:
            self._containers.write_state(container, state)
        except ContainerNotFound:
            return  # removed by force while it ran

    def _place(self, container: Container) -> Place:
        from sandbox.engine.places import place_of

        return place_of(self.layout, container.config)

    def containers(self) -> list[Container]:
        """Return every container, newest first, each in its true state."""
        found = [self._truth(item) for item in self._containers.all()]
        present = [item for item in found if item is not None]
        return sorted(present, key=lambda item: item.config.created, reverse=True)

    def container(self, name: str) -> Container:
        """Return the container of this name or id, in its true state."""
        container = self._truth(self._containers.find(name))
        if container is None:
            raise ContainerNotFound(f"no such container: {name}")
        return container

    def _truth(self, container: Container) -> Container | None:
        """Return the container as it is; None if it should be gone by now."""
        state = container.state
        if state.status == "dead":
            from sandbox.engine.damage import recover

            found = recover(self._containers, container)
            return found if found is None or found.state.status == "dead" else self._truth(found)
        if not state.pid or (
            is_main_process(state.pid, state.pid_start)
            and (not state.keeper or is_main_process(state.keeper, state.keeper_start))
        ):
            return container
        deadline = time.monotonic() + _TOLD_WITHIN
        try:
            while (told := self._containers.read(container.config.id)).state == state:
                try:
                    # Held, so that nobody starts it while it is cleared away.
                    held = self._containers.hold(container)
                except Conflict:
                    # It has just ended; its supervisor, or who else looks, is about to say so.
                    if time.monotonic() > deadline:
                        return container
                    time.sleep(_POLL)
                    continue
                try:
                    if self._containers.read(container.config.id).state == state:
                        return self._found_dead(container)
                finally:
                    os.close(held)
            return self._truth(told)
        except ContainerNotFound:
            return None

    def _found_dead(self, container: Container) -> Container | None:
        state = container.state
        _clean_up_after(container)
        if state.is_running:
            lost = str(lifecycle.lost(state, now()).exit_code)
            events.tell_container(self.layout, container.config, "die", exitCode=lost)
            resource_events.tell_end(self.layout, container.config)
        if container.config.auto_remove:
            self._forget_if_told(container)
            return None
        told = lifecycle.lost(state, now()) if state.is_running else ContainerState()
        return self._containers.write_state(container, told)

    def remove_container(self, name: str, *, force: bool, volumes: bool = False) -> Container:
        """Delete a container; *force* kills it first."""
        container = self.container(name)
        lifecycle.may_remove(container.state, name=name, force=force)
        if container.state.status == "dead":
            self._end_unknown(container.config.id)
        elif container.state.is_running:
            self._kill_hard(container)
        self._forget(container, volumes=volumes)
        events.tell_container(self.layout, container.config, "destroy")
        return container

    def damaged(self) -> list[tuple[str, str]]:
        """Return (id, what is wrong) of containers that can only be removed."""
        return [(identity, exc.message) for identity, exc in self._containers.damaged()]

    def remove_damaged(self, name: str) -> str | None:
        """Delete a container whose configuration cannot be read; None if there is none such."""
        found = [identity for identity, _ in self.damaged() if name and identity.startswith(name)]
        if len(found) != 1:
            return None
        self._end_unknown(found[0])
        self._containers.discard_damaged(found[0])
        return found[0]

    def _end_unknown(self, identity: str) -> None:
        from sandbox.engine import damage

        damage.end_holder(self._containers.directory(identity).config)
        damage.end_processes(identity)

    def _kill_hard(self, container: Container) -> None:
        """End it, by its supervisor if that does anything, else without."""
        from sandbox.runtime import attach

        state = container.state
        if state.socket:
            with suppress(SandboxError):
                message = {"verb": "stop", "signal": int(signal.SIGKILL), "timeout": 0}
                attach.ask(state.socket, message, seconds=_ANSWER_TIME)
                return
        if state.keeper and is_main_process(state.keeper, state.keeper_start):
            os.kill(state.keeper, signal.SIGKILL)
        _kill(container)
        if state.keeper:
            _clean_up_after(container)

    def container_dir(self, container: Container) -> str:
        """Return the directory that holds all the container owns."""
        return os.fspath(self._containers.directory(container.config.id).path)

    def container_dir_size(self, container: Container) -> int:
        """Return the bytes in the container's own layer."""
        return tree_size(os.fspath(self._containers.directory(container.config.id).upper))


def is_main_process(pid: int, start_time: int) -> bool:
    """Tell whether *pid* is still the process that started at *start_time*."""
    return pid > 0 and reaper.start_time_of(pid) == start_time


def _kill(container: Container) -> None:
    """Kill what runs; its supervisor then notices and ends by itself."""
    state = container.state
    if is_main_process(state.pid, state.pid_start):
        os.kill(state.pid, signal.SIGKILL)
    kill_guests(state.run_dir)
    deadline = time.monotonic() + 10
    while is_main_process(state.pid, state.pid_start):
        if time.monotonic() > deadline:
            raise RuntimeFailed(
                f"cannot remove container {container.config.name}: process {state.pid} does not end"
            )
        time.sleep(0.002)


def _clean_up_after(container: Container) -> None:
    """End and delete what a killed supervisor could not."""
    from sandbox.runtime import rundir
    from sandbox.runtime.rundir import RunDir

    places = {place.path for place in rundir.remains(container.config.id, os.environ)}
    if container.state.run_dir:
        places.add(container.state.run_dir)
    for path in places:
        kill_guests(path)
        _keep_owners(container, RunDir(path).control)
        rundir.remove(path)
        rundir.remove(RunDir(path).socket)


def _keep_owners(container: Container, control: str) -> None:
    from sandbox.runtime import launch

    owned = [mount for mount in container.config.mounts if mount.type == "volume"]
    if owned and os.path.exists(control):
        with suppress(SandboxError):
            launch.keep_owners(control, owned)


def tree_size(path: str) -> int:
    """Return the bytes of all regular files below *path*, hard links once."""
    seen: set[int] = set()
    total = 0
    pending = [path]
    while pending:
        with os.scandir(pending.pop()) as entries:
            for entry in entries:
                if entry.is_dir(follow_symlinks=False):
                    pending.append(entry.path)
                elif entry.is_file(follow_symlinks=False):
                    status = entry.stat(follow_symlinks=False)
                    if status.st_nlink == 1 or status.st_ino not in seen:
                        total += status.st_size
                        seen.add(status.st_ino)
    return total
