# SPDX-License-Identifier: MIT
"""The records of networks: one file each, found by name or id.

::

    networks/
      lock             held to change networks or their members
      <64 hex>.json    a user-defined network

Rules: a record appears and disappears in one step. ``bridge``, ``host`` and ``none`` have no
record: they are the same in every store. No process holds the networks' lock and the store's
lock at the same time.

Must not know: which containers are on a network.
"""

from __future__ import annotations

import json
import os
import zlib
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from sandbox.errors import Conflict, CorruptData, NetworkNotFound, RuntimeFailed, map_os_errors
from sandbox.models.addresses import bridge_subnet, free_subnet
from sandbox.models.network import BRIDGE, HOST, NONE, Network, NetworkWish, find_network
from sandbox.models.timestamps import NEVER
from sandbox.store.atomic_files import write_atomic
from sandbox.store.lock import acquire, open_lock

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.models.addresses import Subnet
    from sandbox.store.layout import Layout

_BRIDGE_NUMBER = 1


class NetworkStore:
    """All networks of one store."""

    def __init__(self, layout: Layout) -> None:
        """Remember the *layout*; read nothing."""
        self._layout = layout
        self._root = layout.root / "networks"

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Hold the networks' lock for one change; waits until it is free."""
        with map_os_errors("cannot lock the networks"):
            try:
                fd = open_lock(self._root / "lock")
            except FileNotFoundError:
                self._layout.prepare()
                self._root.mkdir(0o700, exist_ok=True)
                fd = open_lock(self._root / "lock")
        try:
            with map_os_errors("cannot lock the networks"):
                acquire(fd)
            yield
        finally:
            os.close(fd)

    def all(self) -> list[Network]:
        """Return every network, predefined ones first; damaged records are skipped."""
        names: list[str] = []
        with map_os_errors("cannot read the networks"), suppress(FileNotFoundError):
            names = os.listdir(self._root)
        found = []
        for name in names:
            if name.endswith(".json"):
                with suppress(CorruptData, FileNotFoundError):
                    found.append(self._read(name))
        return [*self._predefined(), *sorted(found, key=lambda item: item.created)]

    def _read(self, name: str) -> Network:
        try:
            return Network.from_json(json.loads((self._root / name).read_bytes()))
        except ValueError as exc:
            raise CorruptData(f"the record of network {name} is damaged: {exc}") from exc

    def _predefined(self) -> list[Network]:
        subnet = bridge_subnet(os.getuid())
        ids = {name: _fixed_id(self._layout.root, name) for name in (BRIDGE, HOST, NONE)}
        return [
            Network(
                id=ids[BRIDGE],
                name=BRIDGE,
                created=NEVER,
                number=_BRIDGE_NUMBER,
                subnet=subnet,
                gateway=subnet.base + 1,
            ),
            Network(id=ids[HOST], name=HOST, created=NEVER, driver="host"),
            Network(id=ids[NONE], name=NONE, created=NEVER, driver="null"),
        ]

    def find(self, name: str) -> Network:
        """Return the network with this name, id or unambiguous start of an id.

        Raises NetworkNotFound, UsageError.
        """
        # No other network can have these names.
        known = self._predefined() if name in (BRIDGE, HOST, NONE) else self.all()
        network = find_network(known, name)
        if network is None:
            raise NetworkNotFound(f"network {name} not found")
        return network

    def create(self, wish: NetworkWish, *, network_id: str, created: str) -> Network:
        """Add a network. The caller holds the lock and has validated *wish*."""
        existing = self.all()
        if any(item.name == wish.name for item in existing):
            raise Conflict(f"network with name {wish.name} already exists")
        subnet = _subnet_for(wish, existing)
        numbers = {item.number for item in existing}
        network = Network(
            id=network_id,
            name=wish.name,
            created=created,
            number=next(number for number in range(1, 65536) if number not in numbers),
            subnet=subnet,
            gateway=wish.gateway or next(subnet.hosts()),
            ip_range=wish.ip_range,
            internal=wish.internal,
            attachable=wish.attachable,
            chosen_subnet=wish.subnet is not None,
            labels=wish.labels,
            options=wish.options,
            asked=wish.asked,
        )
        data = json.dumps(network.to_json(), indent=1).encode()
        write_atomic(self._root / f"{network.id}.json", data, layout=self._layout)
        return network

    def remove(self, network: Network) -> None:
        """Delete the record. The caller holds the lock."""
        with map_os_errors(f"cannot remove network {network.name}"):
            (self._root / f"{network.id}.json").unlink(missing_ok=True)


def _subnet_for(wish: NetworkWish, existing: list[Network]) -> Subnet:
    taken = [item.subnet for item in existing if item.subnet is not None]
    if wish.subnet is not None:
        if any(wish.subnet.overlaps(other) for other in taken):
            raise Conflict(f"invalid pool request: pool {wish.subnet} overlaps with other one")
        return wish.subnet
    free = free_subnet(os.getuid(), taken)
    if free is None:
        raise RuntimeFailed(
            "all predefined address pools have been fully subnetted: remove networks that are "
            "not used (sandbox network prune) or choose a --subnet in 127.0.0.0/8",
            exit_code=1,
        )
    return free


def _fixed_id(root: Path, name: str) -> str:
    """Return the id of a predefined network, which differs from store to store.

    It does not use hashlib, which would load OpenSSL into every supervisor.
    """
    text = os.fsencode(root) + b"\0" + name.encode()
    return "".join(f"{zlib.crc32(bytes([part]) + text):08x}" for part in range(8))
