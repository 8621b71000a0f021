# SPDX-License-Identifier: MIT
"""Join networks, change the membership of a running container, leave networks.

How it works: under the networks' lock `allocation` decides first and refuses what it must.
Then the guests' files, the register and the hosts files of other containers change, in an
order in which a kill leaves a stale member for the next caller.

Rules: every change removes stale members first. The process that runs a container reserves its
base address with a socket, so that no other user or store takes it.

Does not know: how a container starts, or what guests do with the files.
"""

from __future__ import annotations

import errno
import os
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.errors import (
    Conflict,
    ContainerNotFound,
    NativeError,
    NetworkNotFound,
    RuntimeFailed,
    SandboxError,
)
from sandbox.models.network import BUILD, HOST, NAME_SERVER, find_network
from sandbox.models.ports import native_of
from sandbox.models.record import Record, replace
from sandbox.native.network import (
    MAX_RESOLVERS,
    Interface,
    NetworkState,
    NetworkTable,
)
from sandbox.native.network import Endpoint as Row
from sandbox.native.network import Published as PublishedRow
from sandbox.runtime.network import allocation, etc_files, host_ports, links, members
from sandbox.runtime.process.kill import kill_guests
from sandbox.runtime.process.reaper import start_time_of
from sandbox.runtime.rundir import RunDir
from sandbox.store.atomic_files import remove_tree
from sandbox.store.containers import ContainerStore
from sandbox.store.networks import NetworkStore

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.models.container import ContainerConfig
    from sandbox.models.endpoints import Endpoint, NetworkConfig
    from sandbox.models.network import Network
    from sandbox.native.network import Allowed, Egress, Protocol
    from sandbox.runtime.network.members import LiveEndpoint, Member, MemberRegister
    from sandbox.store.layout import Layout


class Joined(Record, frozen=True):
    """Where the guests find their network's files; empty on the machine's own network.

    *with_abstract_sockets*: they reach the machine's sockets that have a name and no path.
    """

    directory: str | None = None
    number: int = 0
    with_abstract_sockets: bool = False


@contextmanager
def joined(config: ContainerConfig, layout: Layout, run_dir: RunDir) -> Iterator[Joined]:
    """Join the container's networks and write its files for /etc; leave after the block."""
    network = config.network
    shared = _of_joined(layout, network.joined) if network.joined else network
    machine = etc_files.host_file("/etc/resolv.conf")
    contents = {"hostname": f"{config.hostname}\n"}
    if shared.mode in (HOST, BUILD):
        contents["hosts"] = etc_files.machine_hosts(config.hostname, network)
        contents["resolv.conf"] = etc_files.resolv_conf(machine, shared)
        etc_files.write(run_dir.etc, contents)
        yield Joined(with_abstract_sockets=shared.mode == HOST)
        return
    allowed = allocation.resolve_allowed(network.allowed_hosts, network.extra_hosts)
    with changing(layout) as change:
        resolver = etc_files.resolv_conf(machine, shared, named=change.has_names(shared))
        contents["resolv.conf"] = resolver
        member, keep = change.join(config, run_dir, allowed.rows, etc_files.name_servers(resolver))
        try:
            contents["hosts"] = etc_files.own_hosts(member, network, allowed.names, change.register)
            etc_files.write(run_dir.etc, contents)
            links.write(run_dir.path, _linked(config, layout, member, change.register))
        except BaseException:
            change.leave(member)
            if keep is not None:
                keep.close()
            raise
    try:
        places = keep.ports.take_relayed() if keep is not None else []
        with ExitStack() as stack:
            if places:
                from sandbox.runtime.network import port_proxy

                stack.enter_context(port_proxy.relaying(member, change.register.directory, places))
            yield Joined(change.register.directory, member.number)
    finally:
        _give_back(layout, config.id, member.pid)
        if keep is not None:
            keep.close()


def _linked(
    config: ContainerConfig, layout: Layout, member: Member, register: MemberRegister
) -> Iterator[str]:
    """Yield the variables of the links of a container."""
    store = ContainerStore(layout)
    for item, mine in zip(config.network.endpoints, member.endpoints, strict=False):
        for identity, _, alias in () if mine.has_names else item.links:
            other = register.get(identity)
            place = other.on(mine.network) if other else None
            if place is not None:
                linked = store.read(identity).config
                yield from links.variables(alias, config.name, linked, place.address)


def _give_back(layout: Layout, container_id: str, pid: int) -> None:
    """Leave the networks; do not recreate files of a store that was deleted meanwhile."""
    if not (layout.root / "networks").exists():
        remove_tree(Path(members.directory_of(layout)))
        return
    with changing(layout) as change:
        member = change.register.get(container_id)
        if member is not None and member.pid == pid:
            change.leave(member)


def _of_joined(layout: Layout, container_id: str) -> NetworkConfig:
    """Return the network settings of the container whose network is shared."""
    try:
        return ContainerStore(layout).read(container_id).config.network
    except ContainerNotFound:
        raise RuntimeFailed(f"No such container: {container_id}") from None


@contextmanager
def changing(layout: Layout) -> Iterator[Change]:
    """Lock a store's networks, remove stale members, and save the changes after the block.

    The name server is started again if it was killed.
    """
    store = NetworkStore(layout)
    with store.locked():
        register = members.MemberRegister(members.directory_of(layout))
        try:
            with NetworkTable.locked(register.directory) as table:
                register.mark(layout)
                change = Change(register, table, store.all())
                change.purge()
                yield change
                _look_after_names(register, table)
        finally:
            register.save()


def _look_after_names(register: MemberRegister, table: NetworkTable) -> None:
    """Start the name server if it is needed, and end it if it is not."""
    record = f"{register.directory}/{members.NAME_SERVER_RECORD}"
    if os.path.exists(record) or any(member.has_names for member in register):
        from sandbox.runtime.network.names import keeping

        keeping.settle(register, table)


class _AddressTakenError(NativeError):
    """The address belongs to another container."""


class Change:
    """The changes that are possible while the networks are locked."""

    def __init__(
        self, register: MemberRegister, table: NetworkTable, networks: list[Network]
    ) -> None:
        """Work on the register and the guests' table."""
        self.register = register
        self.networks = networks
        self._table = table

    def purge(self) -> None:
        """Remove the members of containers whose supervisor was killed."""
        for member in self.register:
            if not member.is_held:
                from sandbox.runtime.network import port_proxy

                port_proxy.wait_for_end(member.run_dir)
                kill_guests(member.run_dir)
                self.leave(member)

    def network(self, name: str) -> Network:
        """Return the network of this name or id."""
        found = find_network(self.networks, name)
        if found is None:
            raise NetworkNotFound(f"network {name} not found")
        return found

    def has_names(self, config: NetworkConfig) -> bool:
        """Tell whether a container with these settings is on a network with names."""
        found = (find_network(self.networks, item.network) for item in config.endpoints)
        return any(network is not None and network.has_names for network in found)

    def members(self, network: Network) -> list[Member]:
        """Return the containers that run on a network."""
        return [member for member in self.register if member.on(network.id) and not member.shares]

    # ---- a container starts or ends ------------------------------------------------------

    def join(
        self,
        config: ContainerConfig,
        run_dir: RunDir,
        allowed: tuple[Allowed, ...],
        resolvers: tuple[str, ...],
    ) -> tuple[Member, allocation.Keep | None]:
        """Register a container as a member; the caller closes the returned reservation, if any."""
        own = os.getpid()
        draft = members.Member(
            id=config.id,
            name=config.name,
            hostname=config.hostname,
            number=0,
            address="",
            pid=own,
            pid_start=start_time_of(own) or 0,
            run_dir=run_dir.path,
            dns=config.network.dns,
        )
        if config.network.joined:
            member = self._share(draft, config.network.joined)
            self.register.put(member)
            return member, None
        member, keep = allocation.choose(draft, config, self.networks, list(self.register))
        try:
            reached = allocation.at_gateways(allowed, member.endpoints)
            number = self._table.take(config.id, _state(member, reached, resolvers))
            member = replace(member, number=number)
            try:
                self._write_rows(number, member.endpoints)
                self._publish(member)
            except SandboxError:
                self._table.release(number)
                raise
        except BaseException:
            keep.close()
            raise
        self._tell_others(None, member)
        self.register.put(member)
        return member, keep

    def _share(self, draft: Member, container_id: str) -> Member:
        other = self.register.get(container_id)
        if other is None:
            raise RuntimeFailed(f"cannot join network of a non running container: {container_id}")
        return replace(
            draft,
            number=other.number,
            hostname=other.hostname,
            address=other.address,
            egress=other.egress,
            endpoints=other.endpoints,
            shares=other.shares or other.id,
        )

    def _write_rows(self, number: int, endpoints: tuple[LiveEndpoint, ...]) -> None:
        for item in endpoints:
            if item.gateway:
                with suppress(_AddressTakenError):
                    self._add(Row(item.gateway, item.number, 0))
            row = Row(item.address, item.number, number)
            try:
                self._add(row)
            except _AddressTakenError:  # left by a process that was killed before it registered
                self._forget_unregistered(number)
                self._table.add_endpoint(row)

    def _add(self, row: Row) -> None:
        try:
            self._table.add_endpoint(row)
        except NativeError as exc:
            raise (_AddressTakenError if exc.errno == errno.EEXIST else NativeError)(
                exc.errno, f"cannot add the address {row.address}"
            ) from exc

    def _forget_unregistered(self, own: int) -> None:
        known = {own, *(member.number for member in self.register)}
        for number in self._table.containers():
            if number not in known:
                self._table.release(number)

    def _publish(self, member: Member) -> None:
        for port in native_of(member.published).values():
            self._table.publish(
                PublishedRow(
                    member.number,
                    _protocol(port.port.protocol),
                    port.port.number,
                    port.host_ip,
                    port.host_port,
                )
            )

    def leave(self, member: Member) -> None:
        """Remove a member; its number stays while other containers share its network."""
        self._tell_others(member, None)
        self.register.drop(member)
        sharing = [other for other in self.register if other.number == member.number]
        if not sharing:
            with suppress(SandboxError):  # an interrupted release did it already
                self._table.release(member.number)
        elif not member.shares:
            self._strip(member)
            for other in sharing:
                self.register.put(replace(other, endpoints=()))

    def _strip(self, member: Member) -> None:
        """Leave only the loopback to the containers that shared this network."""
        self._drop_rows(member)
        for port in native_of(member.published).values():
            with suppress(SandboxError):
                self._table.unpublish(
                    member.number, _protocol(port.port.protocol), port.port.number
                )
        old = self._table.state(member.number)
        if old is not None:
            self._table.update(member.number, replace(old, interfaces=(), egress="none"))

    def _drop_rows(self, member: Member) -> None:
        for item in member.endpoints:
            with suppress(SandboxError):
                self._table.drop_endpoint(item.address)

    # ---- a running container changes networks --------------------------------------------

    def connect(self, member: Member, wanted: Endpoint) -> None:
        """Put a running container on one more network."""
        network = self.network(wanted.network)
        if member.on(network.id):
            raise Conflict(
                f"endpoint with name {member.name} already exists in network {network.name}"
            )
        taken = members.addresses_of(self.register)
        place = allocation.endpoint_on(network, wanted, taken)
        self._change_endpoints(member, (*member.endpoints, place))

    def disconnect(self, member: Member, network: Network) -> None:
        """Take a running container off a network."""
        rest = tuple(item for item in member.endpoints if item.network != network.id)
        gone = member.on(network.id)
        if gone is not None:
            with suppress(SandboxError):
                self._table.drop_endpoint(gone.address)
        self._change_endpoints(member, rest)

    def _change_endpoints(self, member: Member, endpoints: tuple[LiveEndpoint, ...]) -> None:
        listed = member.egress == "listed"
        egress = "listed" if listed else allocation.egress_on(endpoints, self.networks)
        new = replace(member, endpoints=endpoints, egress=egress)
        old = self._table.state(member.number)
        if old is None:
            raise RuntimeFailed(f"container {member.name} has no place on the networks")
        interfaces = tuple(_interface(item) for item in endpoints)
        self._table.update(
            member.number,
            replace(
                old,
                interfaces=interfaces,
                egress=_egress(new.egress),
                resolvers=self._resolvers(member, new, tuple(old.resolvers)),
            ),
        )
        fresh = tuple(item for item in endpoints if item not in member.endpoints)
        self._write_rows(member.number, fresh)
        self._tell_others(member, new)
        self.register.put(new)
        for other in self.register:
            if other.shares == member.id:
                self._tell_others(other, replace(other, endpoints=endpoints))
                self.register.put(replace(other, endpoints=endpoints, egress=egress))

    def _resolvers(self, member: Member, new: Member, before: tuple[str, ...]) -> tuple[str, ...]:
        """Return the name servers; with its first network with names a container gets ours.

        Programs that run may still ask the others.
        """
        if NAME_SERVER in before or not new.has_names:
            return before
        for other in self.register:
            if other.id == member.id or other.shares == member.id:
                etc_files.name_internally(f"{RunDir(other.run_dir).etc}/resolv.conf", before)
        return (NAME_SERVER, *before)[:MAX_RESOLVERS]

    def unlink(self, member: Member, alias: str) -> None:
        """Remove an alias by which a running container knew another one."""
        endpoints = tuple(
            replace(item, links=tuple(link for link in item.links if link[1] != alias))
            for item in member.endpoints
        )
        new = replace(member, endpoints=endpoints)
        self._tell_others(member, new)
        self.register.put(new)
        links.forget(member.run_dir, alias)

    def rename(self, member: Member, name: str) -> None:
        """Give a running container another name in the hosts files of the others."""
        new = replace(member, name=name)
        self._tell_others(member, new)
        self.register.put(new)

    def _tell_others(self, before: Member | None, after: Member | None) -> None:
        """Update all hosts files after one member changed."""
        changed = after or before
        assert changed is not None
        everybody = list(self.register)
        for other in everybody:
            if other.id == changed.id:
                continue
            gone = etc_files.lines_about(other, before) if before else []
            come = etc_files.lines_about(other, after) if after else []
            etc_files.amend(f"{RunDir(other.run_dir).etc}/hosts", gone, come)
        if before and after:
            gone = etc_files.self_lines(before, everybody)
            come = etc_files.self_lines(after, everybody)
            etc_files.amend(f"{RunDir(after.run_dir).etc}/hosts", gone, come)


def _interface(item: LiveEndpoint) -> Interface:
    return Interface(item.address, item.number, item.prefix, item.gateway or None, item.mac)


def _state(
    member: Member, allowed: tuple[Allowed, ...], resolvers: tuple[str, ...]
) -> NetworkState:
    return NetworkState(
        address=member.address,
        interfaces=tuple(_interface(item) for item in member.endpoints),
        egress=_egress(member.egress),
        allowed=allowed,
        resolvers=resolvers[:4],
        low_ports=host_ports.low_ports(),
    )


def _egress(text: str) -> Egress:
    return "none" if text == "none" else "listed" if text == "listed" else "free"


def _protocol(text: str) -> Protocol:
    return "udp" if text == "udp" else "tcp"
