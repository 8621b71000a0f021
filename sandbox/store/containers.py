# SPDX-License-Identifier: MIT
"""The records of containers: one directory each, found by name or id.

::

    containers/<64 hex>/
      config.json                      never replaced: a running container holds its lock
      settings.json                    the parts that may change: name, networks, policy
      state.json                       replaced at every change
      <64 hex>-json.log                the container's output, as Docker's json-file writes it
      upper/  work/  owners            the container's own layer

Rules: a record appears and disappears in one step. A new record is synced to disk. A state is
not: after a power cut nothing runs, whatever the file says.

Must not know: images, the meaning of states.
"""

from __future__ import annotations

import json
import os
from _thread import get_native_id
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sandbox.errors import (
    Conflict,
    ContainerNotFound,
    CorruptData,
    UsageError,
    from_os_error,
    map_os_errors,
)
from sandbox.models.container import Container, ContainerConfig, ContainerState
from sandbox.models.record import Record
from sandbox.store.atomic_files import discard, sync_directory
from sandbox.store.lock import acquire, open_lock, store_lock
from sandbox.store.name_links import NameLinks

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator
    from pathlib import Path

    from sandbox.store.layout import Layout

_CONFIG = "config.json"
_STATE = "state.json"
_SETTINGS = "settings.json"
_ID_LENGTH = 64
_HEX = frozenset("0123456789abcdef")


class ContainerDir(Record, frozen=True):
    """The paths inside one container's directory."""

    path: Path

    @property
    def config(self) -> Path:
        """The configuration; also the lock file that the supervisor holds."""
        return self.path / _CONFIG

    @property
    def state(self) -> Path:
        """The current state."""
        return self.path / _STATE

    @property
    def settings(self) -> Path:
        """The parts of the configuration that may change."""
        return self.path / _SETTINGS

    @property
    def log(self) -> Path:
        """The container's output."""
        return self.path / f"{self.path.name}-json.log"

    @property
    def upper(self) -> Path:
        """The container's own layer."""
        return self.path / "upper"

    @property
    def work(self) -> Path:
        """Files that are being copied to the upper."""
        return self.path / "work"

    @property
    def owners(self) -> Path:
        """The table of owners and other attributes that host files cannot have."""
        return self.path / "owners"


class ContainerStore:
    """All containers of one store."""

    def __init__(self, layout: Layout) -> None:
        """Remember the *layout*; read nothing."""
        self._layout = layout
        self._folder = os.fspath(layout.containers)
        self._links = NameLinks(layout)

    def directory(self, container_id: str) -> ContainerDir:
        """Return the paths of a container's directory."""
        return ContainerDir(self._layout.container(container_id))

    def create(
        self,
        make_config: Callable[[frozenset[str]], ContainerConfig],
        *,
        state: ContainerState | None = None,
        durable: bool = True,
    ) -> Container:
        """Add a container; *make_config* is called with the names in use. Raises Conflict."""
        self._layout.prepare()
        with store_lock(self._layout):
            names = self._names(heal=True)
            config = make_config(frozenset(names))
            if config.name in names:
                raise Conflict(
                    f'the container name "/{config.name}" is already in use by container '
                    f'"{names[config.name]}": remove or rename that container '
                    "to be able to reuse that name"
                )
            container = Container(config, state or ContainerState())
            self._write_new(container, durable=durable)
            self._links.add(config.name, config.id)
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
        """Yield every container in no particular order; damaged ones are skipped."""
        for container_id in self._ids():
            try:
                yield self.read(container_id)
            except (ContainerNotFound, CorruptData):
                continue

    def _names(self, *, heal: bool = False) -> dict[str, str]:
        """Return the names in use with their ids; reads little."""
        return self._links.all(self._ids(), self._name_of, heal=heal)

    def _name_of(self, container_id: str) -> str | None:
        with suppress(ContainerNotFound, CorruptData, KeyError, TypeError):
            return str(self._settings(container_id)["name"])
        return None

    def _settings(self, container_id: str) -> dict[str, Any]:
        """Return the stored configuration merged with the settings, as JSON objects."""
        data: dict[str, Any] = self._read(container_id, _CONFIG)
        with suppress(ContainerNotFound):
            data = {**data, **self._read(container_id, _SETTINGS)}
        return data

    def _read(self, container_id: str, name: str) -> Any:
        # Thousands of records are read for a list: paths are text here, which is quicker.
        path = f"{self._folder}/{container_id}/{name}"
        try:
            with open(path, "rb") as file:
                data = file.read()
        except FileNotFoundError:
            raise ContainerNotFound(f"no such container: {container_id}") from None
        except OSError as exc:
            raise from_os_error(exc, doing=f"cannot read {path}") from exc
        try:
            return json.loads(data)
        except ValueError as exc:
            raise CorruptData(f"{path}: {exc}") from exc

    def _ids(self) -> list[str]:
        with map_os_errors(f"cannot read {self._layout.containers}"):
            try:
                names = os.listdir(self._layout.containers)
            except FileNotFoundError:
                return []
        return [name for name in names if len(name) == _ID_LENGTH and set(name) <= _HEX]

    def read(self, container_id: str) -> Container:
        """Return the container with this full id. Raises ContainerNotFound, CorruptData."""
        config = ContainerConfig.from_json(self._settings(container_id))
        try:
            state = ContainerState.from_json(self._read(container_id, _STATE))
        except CorruptData as exc:
            state = ContainerState("dead", error=exc.message)
        return Container(config, state)

    def damaged(self, sound: Collection[str] = ()) -> Iterator[tuple[str, CorruptData]]:
        """Yield (id, problem) for each container whose configuration cannot be read.

        Those that are known to be *sound* are not read.
        """
        for container_id in set(self._ids()).difference(sound):
            try:
                self.read(container_id)
            except ContainerNotFound:
                continue
            except CorruptData as exc:
                yield container_id, exc

    def discard_damaged(self, container_id: str) -> None:
        """Delete the directory of a container with a damaged record."""
        discard(self._layout.container(container_id), layout=self._layout)

    def find(self, name: str) -> Container:
        """Return the container with this name, id or unambiguous start of an id.

        Raises ContainerNotFound, UsageError.
        """
        wanted = name.removeprefix("/")
        ids = self._ids()
        if wanted in ids:
            return self.read(wanted)
        named = self._find_by_name(wanted, ids)
        if named is not None:
            return named
        matches = [item for item in ids if wanted and item.startswith(wanted)]
        if len(matches) > 1:
            raise UsageError(f"multiple IDs found with provided prefix: {wanted}")
        if matches:
            return self.read(matches[0])
        for container in self.all():  # renamed by an older program, which knows no links
            if container.config.name == wanted:
                return container
        raise ContainerNotFound(f"no such container: {name}")

    def _find_by_name(self, name: str, ids: list[str]) -> Container | None:
        found = self._read_named(self._links.find(name), name, ids)
        return found or self._read_named(self._names().get(name), name, ids)

    def _read_named(self, container_id: str | None, name: str, ids: list[str]) -> Container | None:
        """Return the container if it exists and has this name."""
        if container_id not in ids:
            return None
        with suppress(ContainerNotFound, CorruptData):
            container = self.read(container_id)
            if container.config.name == name:
                return container
        return None

    def write_state(self, container: Container, state: ContainerState) -> Container:
        """Store a new state. Raises ContainerNotFound if the container was removed."""
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
        """Store changed settings; *decide* is called with the names in use."""
        directory = self.directory(container.config.id)
        with store_lock(self._layout):
            fresh = self.read(container.config.id)
            config = decide(fresh.config, frozenset(self._names(heal=True)))
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
            if config.name != fresh.config.name:
                self._links.drop(fresh.config.name, config.id)
                self._links.add(config.name, config.id)
        return Container(config, fresh.state)

    def remove(self, container: Container) -> None:
        """Delete the container and its directory."""
        discard(self._layout.container(container.config.id), layout=self._layout)
        self._links.drop(container.config.name, container.config.id)

    def hold(self, container: Container, *, wait: bool = False) -> int:
        """Lock the container, and return the descriptor that keeps the lock until it is closed.

        Raises Conflict if another process holds the lock, unless *wait*.
        """
        fd = self._open_lock(container)
        if not acquire(fd, wait=wait):
            os.close(fd)
            raise Conflict(f"container {container.config.name} is already running")
        return fd

    def is_held(self, container: Container) -> bool:
        """Return whether a supervisor holds the container's lock."""
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
        with suppress(FileNotFoundError):  # removed in the meantime
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
