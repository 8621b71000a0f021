# SPDX-License-Identifier: MIT
"""Which names a container knows, and which addresses they have. Pure.

How it works: a name belongs to a network. A container asks for a name of any of its networks, or
for NAME.NETWORK. A link is a name that only one container knows.

Rules: Docker's. The networks of a container are asked in its own order; the first that knows
the name answers. Upper and lower case are the same.

Must not know: what a question looks like on the wire.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.models.record import Record

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from sandbox.runtime.network.members import LiveEndpoint, Member


class Asker(Record, frozen=True):
    """A container that may ask, by its number in the guests' table.

    *dns* are the servers for other names; empty means the machine's. *run_dirs* are those of all
    containers on its network.
    """

    number: int
    address: str
    egress: str
    dns: tuple[str, ...]
    endpoints: tuple[LiveEndpoint, ...]
    run_dirs: tuple[str, ...]


class NameBook:
    """All names on all networks."""

    def __init__(self, members: Iterable[Member]) -> None:
        """Enter the names of *members*."""
        self._names: dict[tuple[str, str], tuple[str, ...]] = {}
        self._owners: dict[tuple[str, str], str] = {}
        self._places: dict[str, tuple[int, str]] = {}
        self._askers: dict[str, Asker] = {}
        self._bases: dict[str, str] = {}
        everybody = list(members)
        for member in everybody:
            if not member.shares:
                self._enter(member)
        for member in everybody:
            self._admit(member)

    def _enter(self, member: Member) -> None:
        for item in member.endpoints:
            self._places[item.address] = (member.number, item.gateway)
            self._owners[item.network, item.address] = f"{member.name}.{item.name}"
            names = (member.id, *_names_of(member, item)) if item.has_names else ()
            for name in dict.fromkeys(text.lower() for text in names):
                key = (item.network, name)
                self._names[key] = (*self._names.get(key, ()), item.address)

    def _admit(self, member: Member) -> None:
        self._bases[member.id[:12]] = member.address
        present = self._askers.get(member.address)
        run_dirs = (*(present.run_dirs if present else ()), member.run_dir)
        owner = present if member.shares and present else member
        self._askers[member.address] = Asker(
            member.number, member.address, owner.egress, owner.dns, owner.endpoints, run_dirs
        )

    def asker(self, address: str) -> Asker | None:
        """Return the container with this base address."""
        return self._askers.get(address)

    def marked(self, digits: str) -> Asker | None:
        """Return the container whose id begins with these digits."""
        return self._askers.get(self._bases.get(digits, ""))

    def askers(self) -> tuple[Asker, ...]:
        """Return all containers."""
        return tuple(self._askers.values())

    def place(self, address: str) -> tuple[int, str] | None:
        """Return the number of the container with this address, and the gateway there."""
        return self._places.get(address)

    def addresses(self, asker: Asker, name: str) -> tuple[str, ...]:
        """Return the addresses of a name, none if no network of the container knows it."""
        for wanted, network in _readings(name.lower()):
            for item in asker.endpoints:
                if not item.has_names or network not in ("", item.name.lower()):
                    continue
                found = self._linked(item, wanted) or self._names.get((item.network, wanted))
                if found:
                    return found
        return ()

    def _linked(self, item: LiveEndpoint, alias: str) -> tuple[str, ...]:
        found: tuple[str, ...] = ()
        for container, name in item.links:
            if name.lower() == alias:
                found += self._names.get((item.network, container.lower()), ())
        return found

    def name_of(self, asker: Asker, address: str) -> str:
        """Return NAME.NETWORK for an address of the container's networks, else ""."""
        for item in asker.endpoints:
            found = self._owners.get((item.network, address)) if item.has_names else None
            if found:
                return found
        return ""


def _names_of(member: Member, endpoint: LiveEndpoint) -> tuple[str, ...]:
    return (member.name, *endpoint.aliases, member.id[:12], member.hostname)


def _readings(name: str) -> Iterator[tuple[str, str]]:
    """Yield (name, network) for each way to read a name with dots; "" means any network.

    >>> list(_readings("a.b.c"))
    [('a.b.c', ''), ('a.b', 'c'), ('a', 'b.c')]
    """
    yield name, ""
    at = name.rfind(".")
    while at > 0:
        yield name[:at], name[at + 1 :]
        at = name.rfind(".", 0, at)
