# SPDX-License-Identifier: MIT
"""Copy connections and datagrams from ports of the machine to a container's listeners.

How it works: one loop serves all sockets, and none of them blocks. A connection is a pair of
sockets. Each holds the bytes that were read from it and not yet written to the other; it
reads no more until they are written. Each UDP caller has its own socket to the listener, so
that answers reach the right caller; an idle socket is closed.

Rules: the loop looks for the listener at each connection, because listeners come and go. A
caller without a listener gets a reset. One caller's failure ends no other.

Does not know: which process runs the loop.
"""

from __future__ import annotations

import errno
import selectors
import socket
import struct
import time
from contextlib import suppress
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.models.ports import Port, Published
    from sandbox.native.network import NetworkTable

_CHUNK = 1 << 18
_DATAGRAM = 65535
_IDLE = 90.0  # seconds, as Docker's
_CALLERS = 1024  # UDP callers of one port
_PERIOD = 5.0
_READ, _WRITE = selectors.EVENT_READ, selectors.EVENT_WRITE
# (level, the option that asks for the destination address, the type of the answer)
_CALLED = {
    socket.AF_INET: (socket.IPPROTO_IP, 8, 8),  # IP_PKTINFO
    socket.AF_INET6: (socket.IPPROTO_IPV6, 49, 50),  # IPV6_RECVPKTINFO, IPV6_PKTINFO
}
_NO_PORT_YET = 24  # IP_BIND_ADDRESS_NO_PORT


class Relay:
    """The loop of one container's port proxy."""

    def __init__(self, table: NetworkTable, container: int, gateway: str) -> None:
        """Look in *table* for listeners of *container*, and call them from *gateway*."""
        self.table = table
        self.container = container
        self._gateway = gateway
        self._selector = selectors.DefaultSelector()
        self._waiting: list[_Listener] = []
        self.pairs: set[_Pair] = set()

    def live(self, places: Sequence[tuple[Published, int]], parent: int) -> None:
        """Relay between bound sockets (their descriptors) and the container until *parent* ends."""
        self._selector.register(parent, _READ)
        datagrams: list[_Datagrams] = []
        for row, number in places:
            sock = socket.socket(fileno=number)
            sock.setblocking(False)
            if row.port.protocol == "tcp":
                self.watch(sock, _READ, _Listener(self, row.port, sock).call)
            else:
                datagrams.append(_Datagrams(self, row.port, sock))
        try:
            while self._turn(parent, datagrams):
                pass
        finally:
            for pair in list(self.pairs):
                pair.close()
            for key in list(self._selector.get_map().values()):
                if not isinstance(key.fileobj, int):
                    key.fileobj.close()  # type: ignore[attr-defined]
            self._selector.close()

    def _turn(self, parent: int, datagrams: Sequence[_Datagrams]) -> bool:
        """Serve the sockets that are ready; tell whether the parent still lives."""
        busy = self._waiting or any(item.callers for item in datagrams)
        for key, mask in self._selector.select(_PERIOD if busy else None):
            if key.fd == parent:
                return False
            now = self._selector.get_map().get(key.fd)
            if now is not None and now.data == key.data:  # an earlier call may have closed it
                key.data(mask)
        for item in datagrams:
            item.forget_idle()
        self.resume()
        return True

    def watch(self, sock: socket.socket, mask: int, call: Callable[[int], None]) -> None:
        """Call *call* with the events of *mask* that a socket is ready for."""
        known = sock.fileno() in self._selector.get_map()
        if mask and known:
            self._selector.modify(sock, mask, call)
        elif mask:
            self._selector.register(sock, mask, call)
        elif known:
            self._selector.unregister(sock)

    def close(self, sock: socket.socket) -> None:
        """Close a socket and stop watching it."""
        self.watch(sock, 0, _nothing)
        sock.close()

    def pause(self, listener: _Listener) -> None:
        """Stop accepting until descriptors may be free again."""
        self.watch(listener.sock, 0, _nothing)
        self._waiting.append(listener)

    def resume(self) -> None:
        """Accept again."""
        for listener in self._waiting:
            self.watch(listener.sock, _READ, listener.call)
        self._waiting.clear()

    def connect(self, port: Port) -> socket.socket:
        """Return a socket that connects to the present listener of a port."""
        stream = port.protocol == "tcp"
        address, number = self.table.lead(self.container, "tcp" if stream else "udp", port.number)
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        sock = socket.socket(family, socket.SOCK_STREAM if stream else socket.SOCK_DGRAM)
        try:
            sock.setblocking(False)
            if stream:
                sock.setsockopt(socket.IPPROTO_IP, _NO_PORT_YET, 1)
            sock.bind(("::1" if family == socket.AF_INET6 else self._gateway, 0))
            with suppress(BlockingIOError):  # the connection is in progress
                sock.connect((address, number))
        except OSError:
            sock.close()
            raise
        return sock


def _nothing(_mask: int) -> None:
    """Be called by nobody."""


def _reset(sock: socket.socket) -> None:
    with suppress(OSError):
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


# ---- connections -----------------------------------------------------------------------


class _Listener:
    """A TCP port of the machine."""

    def __init__(self, relay: Relay, port: Port, sock: socket.socket) -> None:
        self._relay = relay
        self._port = port
        self.sock = sock

    def call(self, _mask: int) -> None:
        try:
            caller, _ = self.sock.accept()
        except OSError as exc:
            if exc.errno in (errno.EMFILE, errno.ENFILE, errno.ENOBUFS, errno.ENOMEM):
                self._relay.pause(self)
            return
        caller.setblocking(False)
        try:
            target = self._relay.connect(self._port)
        except OSError:
            _reset(caller)
            caller.close()
            return
        _Pair(self._relay, caller, target)


class _Pair:
    """One connection: a caller and the listener's side, as [0] and [1] of all lists."""

    def __init__(self, relay: Relay, caller: socket.socket, target: socket.socket) -> None:
        self._relay = relay
        self._ends = (caller, target)
        self._held = [b"", b""]  # bytes read from one end and not yet written to the other
        self._over = [False, False]  # this end sends no more,
        self._told = [False, False]  # and the other end knows it
        self._is_connected = False
        for sock in self._ends:
            with suppress(OSError):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        relay.pairs.add(self)
        self._watch()

    def _watch(self) -> None:
        for index, sock in enumerate(self._ends):
            wants = 0
            if self._is_connected:
                wants |= _READ if not self._over[index] and not self._held[index] else 0
                wants |= _WRITE if self._held[1 - index] else 0
            elif index == 1:
                wants = _WRITE
            self._relay.watch(sock, wants, self._call)

    def _call(self, _mask: int) -> None:
        try:
            if not self._is_connected:
                self._ends[1].getpeername()  # fails while there is no connection
                self._is_connected = True
            self._pump(0)
            self._pump(1)
        except OSError:
            for sock in self._ends:
                _reset(sock)
            self.close()
            return
        if all(self._told):
            self.close()
        else:
            self._watch()

    def _pump(self, index: int) -> None:
        """Read from one end and write to the other as much as it takes."""
        source, sink = self._ends[index], self._ends[1 - index]
        if not self._held[index] and not self._over[index]:
            with suppress(BlockingIOError):
                self._held[index] = source.recv(_CHUNK)
                self._over[index] = not self._held[index]
        if self._held[index]:
            with suppress(BlockingIOError):
                self._held[index] = self._held[index][sink.send(self._held[index]) :]
        if self._over[index] and not self._held[index] and not self._told[index]:
            sink.shutdown(socket.SHUT_WR)
            self._told[index] = True

    def close(self) -> None:
        self._relay.pairs.discard(self)
        for sock in self._ends:
            self._relay.close(sock)


# ---- datagrams -------------------------------------------------------------------------


class _Datagrams:
    """A UDP port of the machine."""

    def __init__(self, relay: Relay, port: Port, sock: socket.socket) -> None:
        self._relay = relay
        self._port = port
        self._sock = sock
        self.callers: dict[Any, _Flow] = {}
        level, option, _ = _CALLED[sock.family]
        sock.setsockopt(level, option, 1)
        relay.watch(sock, _READ, self._call)

    def _call(self, _mask: int) -> None:
        try:
            data, extra, _, address = self._sock.recvmsg(_DATAGRAM, 256)
        except OSError:
            return
        level, _, kind = _CALLED[self._sock.family]
        called = next((item for *key, item in extra if key == [level, kind]), b"")
        name = (address, _source_of(called))
        flow = self.callers.pop(name, None)
        if flow is None:
            if len(self.callers) >= _CALLERS:
                self.drop(next(iter(self.callers)))
            try:
                flow = self._flow(name)
            except OSError:
                return
        self.callers[name] = flow  # the most recently used is the last
        flow.give(data)

    def _flow(self, name: Any) -> _Flow:
        sock = self._relay.connect(self._port)
        flow = _Flow(self, name, sock)
        with suppress(OSError):
            self._tell(flow, on=True)
        self._relay.watch(sock, _READ, flow.call)
        return flow

    def _tell(self, flow: _Flow, *, on: bool) -> None:
        """Tell the guests this port of the gateway, so that they answer to it."""
        if flow.sock.family == socket.AF_INET:
            self._relay.table.relay(self._relay.container, flow.port, on=on)

    def answer(self, name: Any, data: bytes) -> None:
        address, called = name
        level, _, kind = _CALLED[self._sock.family]
        with suppress(OSError):
            self._sock.sendmsg([data], [(level, kind, called)], 0, address)

    def forget_idle(self) -> None:
        end = time.monotonic() - _IDLE
        for name in [name for name, flow in self.callers.items() if flow.last < end]:
            self.drop(name)

    def drop(self, name: Any) -> None:
        flow = self.callers.pop(name, None)
        if flow is not None:
            self._tell(flow, on=False)
            self._relay.close(flow.sock)


def _source_of(info: bytes) -> bytes:
    """Return the control message that sends an answer from a datagram's destination address.

    It holds the kernel's `in_pktinfo` (interface, local address, destination) or `in6_pktinfo`
    (destination, interface). Only a link-local address needs the interface.
    """
    if len(info) == 12:
        return bytes(4) + info[8:12] + bytes(4)
    return info if info[:2] == b"\xfe\x80" else info[:16] + bytes(4)


class _Flow:
    """The datagrams of one caller."""

    def __init__(self, place: _Datagrams, name: Any, sock: socket.socket) -> None:
        self._place = place
        self._name = name
        self.sock = sock
        self.port: int = sock.getsockname()[1]
        self.last = time.monotonic()

    def give(self, data: bytes) -> None:
        """Forward one datagram; if the listener is gone, look for it again next time."""
        self.last = time.monotonic()
        try:
            self.sock.send(data)
        except BlockingIOError:
            return  # UDP may lose a datagram
        except OSError:
            self._place.drop(self._name)

    def call(self, _mask: int) -> None:
        self.last = time.monotonic()
        try:
            data = self.sock.recv(_DATAGRAM)
        except BlockingIOError:
            return
        except OSError:
            self._place.drop(self._name)
            return
        self._place.answer(self._name, data)
