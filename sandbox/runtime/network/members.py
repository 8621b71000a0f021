# SPDX-License-Identifier: MIT
"""The members of networks: a register of the containers that run on each.

How it works: the register is one file beside the files that guests read (`native.network`).
A member names the process that runs the container. When that process is gone, the member is
stale, and the next holder of the networks' lock removes it.

Rules: writers hold the lock of `store.networks` and replace the file as a whole; readers need
no lock. The file lies in memory. Its place follows from the store's path alone, not from the
environment of a command.

Does not know: how an address is chosen, or what guests do with it.
"""

from __future__ import annotations

import json
import os
import zlib
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sandbox.errors import map_os_errors
from sandbox.models.ports import Port, Published
from sandbox.models.record import Record, plain
from sandbox.runtime import rundir
from sandbox.runtime.process import reaper
from sandbox.store.atomic_files import remove_tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sandbox.store.layout import Layout


_STORE = "store"
NAME_SERVER_RECORD = "name-server"


class LiveEndpoint(Record, frozen=True):
    """A running container's place on a network; *links* are (container id, alias)."""

    network: str
    number: int
    name: str
    address: str
    prefix: int
    gateway: str = ""
    aliases: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()
    has_names: bool = True
    mac: str = ""
    """The hardware address that the user chose; empty: derived from the address."""


class Member(Record, frozen=True, kw_only=True):
    """One running container on its networks: its number in the guests' table, addresses, ports.

    *shares* is the id of the container whose network it uses, or empty.
    """

    id: str
    name: str
    hostname: str
    number: int
    address: str
    pid: int
    pid_start: int
    run_dir: str
    egress: str = "free"
    shares: str = ""
    endpoints: tuple[LiveEndpoint, ...] = ()
    published: tuple[Published, ...] = ()
    dns: tuple[str, ...] = ()
    """Its name servers for names of no container; empty: the machine's."""

    @property
    def is_held(self) -> bool:
        """Tell whether the process that runs the container still exists."""
        return reaper.start_time_of(self.pid) == self.pid_start

    @property
    def has_names(self) -> bool:
        """Tell whether it is on a network with names."""
        return any(item.has_names for item in self.endpoints)

    def on(self, network: str) -> LiveEndpoint | None:
        """Return its endpoint on the network with this id."""
        return next((item for item in self.endpoints if item.network == network), None)

    def to_json(self) -> dict[str, Any]:
        """Return the stored form."""
        data = plain(self)
        data["published"] = [
            [item.port.number, item.port.protocol, item.host_ip, item.host_port]
            for item in self.published
        ]
        return data

    @classmethod
    def from_json(cls, data: dict[str, Any]) -> Member:
        """Read the stored form."""
        endpoints = tuple(
            LiveEndpoint(
                **{
                    **item,
                    "aliases": tuple(item["aliases"]),
                    "links": tuple((link[0], link[1]) for link in item["links"]),
                }
            )
            for item in data["endpoints"]
        )
        published = tuple(
            Published(Port(number, protocol), host_ip, host_port)
            for number, protocol, host_ip, host_port in data["published"]
        )
        dns = tuple(data.get("dns", ()))
        return cls(**{**data, "endpoints": endpoints, "published": published, "dns": dns})


def directory_of(layout: Layout) -> str:
    """Return the directory of this store's network files on this machine."""
    name = f"net-{zlib.crc32(os.fsencode(os.path.realpath(layout.root))):08x}"
    return f"{rundir.base_dir({})}/{name}"


def is_abandoned(directory: str) -> bool:
    """Tell whether a directory's store and the processes of all its members are gone."""
    mark = f"{directory}/{_STORE}"
    if not os.path.islink(mark) or os.path.exists(f"{mark}/networks"):
        return False
    return not any(member.is_held for member in MemberRegister(directory))


class MemberRegister:
    """The register as it was when it was read."""

    def __init__(self, directory: str) -> None:
        """Read the register in *directory*; an absent file is an empty register."""
        self.directory = directory
        self._path = f"{directory}/members"
        self._seats: dict[str, Member] = {}
        self._rows: dict[str, dict[str, Any]] = {}  # decoded on demand: there may be hundreds
        self._changed = False
        with suppress(FileNotFoundError, ValueError, KeyError, TypeError):
            with open(self._path, "rb") as file:
                rows = {row["id"]: row for row in json.load(file)}
            self._seats = {key: Member.from_json(row) for key, row in rows.items()}
            self._rows = rows

    def __iter__(self) -> Iterator[Member]:
        """Yield all members."""
        return iter(list(self._seats.values()))

    def get(self, container_id: str) -> Member | None:
        """Return the member of a container, or None if it does not run on a network."""
        return self._seats.get(container_id)

    def put(self, member: Member) -> None:
        """Add or replace a member."""
        self._seats[member.id] = member
        self._rows[member.id] = member.to_json()
        self._changed = True

    def drop(self, member: Member) -> None:
        """Remove a member."""
        self._seats.pop(member.id, None)
        self._rows.pop(member.id, None)
        self._changed = True

    def mark(self, layout: Layout) -> None:
        """Make a link to the store, which shows others when the store is gone."""
        with map_os_errors(f"cannot write in {self.directory}"), suppress(FileExistsError):
            os.symlink(os.path.realpath(layout.root), f"{self.directory}/{_STORE}")

    def save(self) -> None:
        """Write the register if it changed; remove all network files if no member is left."""
        if self._seats and not self._changed:
            return
        with map_os_errors(f"cannot write {self._path}"):
            if not self._seats:
                remove_tree(_as_path(self.directory))
                return
            os.makedirs(self.directory, mode=0o700, exist_ok=True)
            draft = f"{self._path}.new"
            with open(draft, "w", encoding="ascii") as file:
                file.write(json.dumps(list(self._rows.values())))
            os.replace(draft, self._path)
            self._changed = False


def addresses_of(members: Iterable[Member]) -> set[str]:
    """Return the addresses of all members."""
    found = set()
    for member in members:
        found.add(member.address)
        found.update(item.address for item in member.endpoints)
    return found


def live_members(layout: Layout) -> dict[str, Member]:
    """Return this store's members by container id; read-only and without a lock."""
    return {member.id: member for member in MemberRegister(directory_of(layout))}


def _as_path(path: str) -> Any:
    from pathlib import Path

    return Path(path)
