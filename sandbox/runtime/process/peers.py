# SPDX-License-Identifier: MIT
"""Who is at the other end of a socket: a process of the user, or one of a container.

How it works: the kernel says which process connected, and which container marked it
(`native.process_table`). Where a low limit forbids marks, a container's process is known by its
program: the guest runtime, whose address no other program has, or a program in memory. Landlock
lets it execute nothing else. A process that cannot be looked into is taken for a container's if
it has no_new_privs, as all of them have.

Rules: a process that has ended while it was looked at is nobody. Everything here comes from the
kernel, nothing from memory or files of a container.

Does not know: what the peer wants.
"""

from __future__ import annotations

import os
import select
import socket
import struct
from typing import TYPE_CHECKING

from sandbox.models.record import Record
from sandbox.native.process_table import credentials_of, marked_container
from sandbox.runtime.process import reaper

if TYPE_CHECKING:
    from collections.abc import Iterator

_SO_PEERPIDFD = 77  # Linux 6.5
_ENTRY = struct.Struct("<24xQ")  # e_entry of an ELF header
_GUEST_BASE = 0x567000000000  # SB_ADDR_RUNTIME in csrc/arch/x86_64/layout.h
_GUEST_ROOM = 1 << 24


class Peer(Record, frozen=True):
    """The process that connected a socket. Its pid is 0 in another pid namespace."""

    pid: int
    uid: int
    is_guest: bool = False
    container: str = ""
    """The first digits of the id of a guest's container, if the process has its mark."""


def peer_of(connection: socket.socket) -> Peer | None:
    """Return who connected a unix socket; None if that process is gone."""
    pid, uid = credentials_of(connection)
    if pid == 0:
        return Peer(pid, uid)
    try:
        pidfd = connection.getsockopt(socket.SOL_SOCKET, _SO_PEERPIDFD)
    except ProcessLookupError:
        return None
    except OSError:  # an older kernel
        return look_at(pid, uid)
    try:
        found = look_at(pid, uid)
        # While the process has not ended, its pid is its own.
        return None if select.select([pidfd], [], [], 0)[0] else found
    finally:
        os.close(pidfd)


def look_at(pid: int, uid: int) -> Peer | None:
    """Return what the kernel says of a process; None if it is gone."""
    started = reaper.start_time_of(pid)
    guest = uid == os.getuid() and is_guest(pid)
    found = Peer(pid, uid, guest, marked_container(pid) or "" if guest else "")
    if started is None or reaper.start_time_of(pid) != started:
        return None
    return found


def is_guest(pid: int) -> bool:
    """Tell whether a process of this user belongs to a container, of whichever store."""
    if marked_container(pid) is not None:
        return True
    try:
        if os.readlink(f"/proc/{pid}/exe").startswith("/memfd:"):
            return True
        with open(f"/proc/{pid}/exe", "rb") as file:
            head = file.read(_ENTRY.size)
    except FileNotFoundError:
        return False  # ended
    except OSError:  # a program or a process that this user may not look into
        return _has_no_new_privs(pid)
    if len(head) < _ENTRY.size or not head.startswith(b"\x7fELF"):
        return False
    entry: int = _ENTRY.unpack(head)[0]
    return 0 <= entry - _GUEST_BASE < _GUEST_ROOM


def _has_no_new_privs(pid: int) -> bool:
    try:
        with open(f"/proc/{pid}/status", "rb") as file:
            return b"\nNoNewPrivs:\t0\n" not in file.read()
    except OSError:
        return True


# ---- TCP ---------------------------------------------------------------------------------


def uid_of_stream(peer: tuple[str, int], own: tuple[str, int]) -> tuple[int, int] | None:
    """Return the user and the inode of the socket that connected from *peer* to *own*.

    Both are addresses of IPv4 on this machine. None: there is no such socket.
    """
    wanted = {_hex(peer) + b" " + _hex(own), _hex6(peer) + b" " + _hex6(own)}
    for name in ("tcp", "tcp6"):
        for line in _lines(f"/proc/net/{name}"):
            fields = line.split()
            if len(fields) > 9 and fields[1] + b" " + fields[2] in wanted:
                return int(fields[7]), int(fields[9])
    return None


def _lines(path: str) -> Iterator[bytes]:
    try:
        with open(path, "rb") as file:
            yield from file
    except OSError:
        return


def _hex(place: tuple[str, int]) -> bytes:
    number = int.from_bytes(socket.inet_aton(place[0]), "little")
    return f"{number:08X}:{place[1]:04X}".encode()


def _hex6(place: tuple[str, int]) -> bytes:
    return b"0" * 16 + b"FFFF0000" + _hex(place)


def holders_of(inode: int) -> list[int]:
    """Return the processes of this user that have a socket open."""
    return [pid for pid in _own_processes() if _has_socket(pid, f"socket:[{inode}]")]


def _own_processes() -> Iterator[int]:
    uid = os.getuid()
    for name in os.listdir("/proc"):
        if name.isdecimal():
            try:
                if os.stat(f"/proc/{name}").st_uid == uid:
                    yield int(name)
            except OSError:
                continue


def _has_socket(pid: int, link: str) -> bool:
    try:
        numbers = os.listdir(f"/proc/{pid}/fd")
    except OSError:
        return False
    for number in numbers:
        try:
            if os.readlink(f"/proc/{pid}/fd/{number}") == link:
                return True
        except OSError:
            continue
    return False
