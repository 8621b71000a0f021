# SPDX-License-Identifier: MIT
"""The records of containers: one directory each, found by name or id.

::

    containers/<64 hex>/
      config.json                      never replaced: its lock is held while it runs
      settings.json                    what changed of it since: name, networks, policy, wishes
      state.json                       replaced at every change
      <64 hex>-json.log                what it said, as Docker's json-file writes it
      upper/  work/  owners            the container's own layer

Rules: a record appears and disappears in one step. Creation is synced to disk; a
state is not (after a power cut nothing runs, whatever the file says).

Does not know: images, or what a state means.
"""

from __future__ import annotations

import json
import os
from contextlib import suppress
from threading import get_native_id
from typing import TYPE_CHECKING, Any

from sandbox.errors import (
    Conflict,
    ContainerNotFound,
    CorruptData,
    UsageError,
    map_os_errors,
)
from sandbox.models.container import Container, ContainerConfig, ContainerState
from sandbox.models.record import Record
from sandbox.store.atomic_files import discard, sync_directory
from sandbox.store.lock import acquire, open_lock, store_lock

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from sandbox.store.layout import Layout

_ID_LENGTH = 64
_HEX = frozenset("0123456789abcdef")


class ContainerDir(Record, frozen=True):
    """Names inside a container's directory."""

    path: Path

    @property
    def config(self) -> Path:
        """The configuration, which is also the lock file of whoever runs it."""
        return self.path / "config.json"

    @property
    def state(self) -> Path:
        """The present state."""
        return self.path / "state.json"

    @property
    def settings(self) -> Path:
        """The part of the configuration that changed."""
        return self.path / "settings.json"

    @property
    def log(self) -> Path:
        """What the container said."""
        return self.path / f"{self.path.name}-json.log"

    @property
    def upper(self) -> Path:
        """The container's own layer."""
        return self.path / "upper"

    @property
    def work(self) -> Path:
        """Files on their way into the upper."""
        return self.path / "work"

    @property
    def owners(self) -> Path:
        """The table of what host files cannot hold."""
        return self.path / "owners"


class ContainerStore:
    """All containers of one store."""

    def __init__(self, layout: Layout) -> None:
        """Look at the store in *layout*; nothing is read yet."""
        self._layout = layout

    def directory(self, container_id: str) -> ContainerDir:
        """Return the names of the container's directory."""
        return ContainerDir(self._layout.container(container_id))

    def create(
        self,
        make_config: Callable[[frozenset[str]], ContainerConfig],
        *,
        state: ContainerState | None = None,
        durable: bool = True,
    ) -> Container:
        """Add a container; *make_config* is given the names that are taken."""
        self._layout.prepare()
        with store_lock(self._layout):
            names = self._names()
            config = make_config(frozenset(names))
            if config.name in names:
                raise Conflict(
                    f'the container name "/{config.name}" is already in use by container '
                    f'"{names[config.name]}": remove or rename that container '
                    "to be able to reuse that name"
                )
            container = Container(config, state or ContainerState())
            self._write_new(container, durable=durable)
        return container

    def _write_new(self, container: Container, *, durable: bool) -> None:
        final = self.directory(container.config.id)
        draft = ContainerDir(self._layout.tmp / f"container-{container.config.id}")
        with map_os_errors("cannot create the container"):
            try:
                draft.path.mkdir(0o700)
                draft.upper.mkdir(0o700)
                draft.work.mkdir(0o700)
                _write(draft.state, container.state.to_json(), durable=durable)
                _write(draft.config, container.config.to_json(), durable=durable)
                os.rename(draft.path, final.path)
                if durable:
                    sync_directory(self._layout.containers)
            except OSError:
                discard(draft.path, layout=self._layout)
                raise

    def all(self) -> Iterator[Container]:
        """Yield every container, in no order; damaged ones are left out."""
        for container_id in self._ids():
            try:
                yield self.read(container_id)
            except (ContainerNotFound, CorruptData):
                continue

    def _names(self) -> dict[str, str]:
        """Return the id of every name that is taken, as `all` would tell, with less to read."""
        found = {}
        for container_id in self._ids():
            with suppress(ContainerNotFound, CorruptData, KeyError, TypeError):
                found[str(self._settings(container_id)["name"])] = container_id
        return found

    def _settings(self, container_id: str) -> dict[str, Any]:
        """Return the configuration as it is stored, with what changed since."""
        directory = self.directory(container_id)
        data: dict[str, Any] = _read(directory.config, container_id)
        if directory.settings.exists():
            data = {**data, **_read(directory.settings, container_id)}
        return data

    def _ids(self) -> list[str]:
        with map_os_errors(f"cannot read {self._layout.containers}"):
            try:
                names = os.listdir(self._layout.containers)
            except FileNotFoundError:
                return []
        return [name for name in names if len(name) == _ID_LENGTH and set(name) <= _HEX]

    def read(self, container_id: str) -> Container:
        """Return the container with this full id."""
        directory = self.directory(container_id)
        config = ContainerConfig.from_json(self._settings(container_id))
        try:
            state = ContainerState.from_json(_read(directory.state, container_id))
        except CorruptData as exc:
            state = ContainerState("dead", error=exc.message)
        return Container(config, state)

    def damaged(self) -> Iterator[tuple[str, CorruptData]]:
        """Yield (id, problem) of containers whose configuration cannot be read."""
        for container_id in self._ids():
            try:
                self.read(container_id)
            except ContainerNotFound:
                continue
            except CorruptData as exc:
                yield container_id, exc

    def discard_damaged(self, container_id: str) -> None:
        """Delete a container of which no more than its id is known."""
        discard(self._layout.container(container_id), layout=self._layout)

    def find(self, name: str) -> Container:
        """Return the container with this name, id, or unambiguous start of an id."""
        wanted = name.removeprefix("/")
        ids = self._ids()
        if wanted in ids:
            return self.read(wanted)
        for container in self.all():
            if container.config.name == wanted:
                return container
        matches = [item for item in ids if wanted and item.startswith(wanted)]
        if len(matches) > 1:
            raise UsageError(f"multiple IDs found with provided prefix: {wanted}")
        if not matches:
            raise ContainerNotFound(f"no such container: {name}")
        return self.read(matches[0])

    def write_state(self, container: Container, state: ContainerState) -> Container:
        """Record a new state; `ContainerNotFound` if the container was removed."""
        directory = self.directory(container.config.id)
        draft = directory.path / f"state.{get_native_id()}"
        with map_os_errors("cannot record the container's state"):
            try:
                _write(draft, state.to_json(), durable=False)
                os.rename(draft, directory.state)
            except FileNotFoundError:
                raise ContainerNotFound(f"no such container: {container.config.name}") from None
        return container.with_state(state)

    def change(
        self,
        container: Container,
        decide: Callable[[ContainerConfig, frozenset[str]], ContainerConfig],
    ) -> Container:
        """Record what may change of it; *decide* is given the names that are taken."""
        directory = self.directory(container.config.id)
        with store_lock(self._layout):
            fresh = self.read(container.config.id)
            config = decide(fresh.config, frozenset(self._names()))
            draft = directory.path / f"settings.{get_native_id()}"
            settings = {
                "name": config.name,
                "network": config.network.to_json(),
                "policy": config.policy.to_json(),
                "asked": config.asked,
            }
            with map_os_errors("cannot record the container's settings"):
                _write(draft, settings, durable=True)
                os.rename(draft, directory.settings)
        return Container(config, fresh.state)

    def remove(self, container: Container) -> None:
        """Delete the container and all it owns."""
        discard(self._layout.container(container.config.id), layout=self._layout)

    def hold(self, container: Container, *, wait: bool = False) -> int:
        """Return a descriptor that keeps the container for the caller, until closed.

        `Conflict` if somebody else has it, unless *wait*.
        """
        fd = self._open_lock(container)
        if not acquire(fd, wait=wait):
            os.close(fd)
            raise Conflict(f"container {container.config.name} is already running")
        return fd

    def is_held(self, container: Container) -> bool:
        """Tell whether a supervisor has the container in hand."""
        try:
            fd = self._open_lock(container)
        except ContainerNotFound:
            return False
        try:
            return not acquire(fd, wait=False)
        finally:
            os.close(fd)

    def _open_lock(self, container: Container) -> int:
        path = self.directory(container.config.id).config
        with suppress(FileNotFoundError):  # removed between the two
            if path.exists():
                return open_lock(path)
        raise ContainerNotFound(f"no such container: {container.config.name}")


def _write(path: Path, data: Any, *, durable: bool) -> None:
    text = json.dumps(data, indent=1, ensure_ascii=True)
    with path.open("w", encoding="ascii") as file:
        path.chmod(0o600)
        file.write(text + "\n")
        if durable:
            file.flush()
            os.fsync(file.fileno())


def _read(path: Path, container_id: str) -> Any:
    with map_os_errors(f"cannot read {path}"):
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            raise ContainerNotFound(f"no such container: {container_id}") from None
    try:
        return json.loads(data)
    except ValueError as exc:
        raise CorruptData(f"{path}: {exc}") from exc
