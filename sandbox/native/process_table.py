# SPDX-License-Identifier: MIT
"""The processes of a running container, and the table of them in its shared file.

How it works: a process gets the mark of its container before the container's first instruction
(csrc/hosted/hosted_marks.c). Its children inherit the mark and cannot drop it. The kernel shows it,
so processes are found by it and by nothing that a guest can write.

Rules: the table only proposes processes without a mark, which exist where a low limit forbids
marks. Such a process counts if it executes the guest program. A signal is sent only to a process
that belongs to the container at that moment.
"""

from __future__ import annotations

import errno
import os
import signal
import struct
import zlib

# The class below socket.socket: the module socket takes longer to import than all of this package.
from _socket import AF_UNIX, SO_PEERCRED, SOCK_CLOEXEC, SOCK_SEQPACKET, SOL_SOCKET
from _socket import socket as UnixSocket  # noqa: N812 - it is a class
from contextlib import closing, suppress
from typing import TYPE_CHECKING

from sandbox.errors import NativeError
from sandbox.native._native import ffi, lib
from sandbox.native.process_status import status_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

MARK_RESOURCE = int(lib.SB_MARK_RESOURCE)
_FEW_PIDS = 512
_MAX_PIDS = 32768
_DIGITS = 12
_PEER = struct.Struct("3i")  # struct ucred
_TICK_NS = 1_000_000_000 // os.sysconf("SC_CLK_TCK")


def adopt_orphans() -> None:
    """Become the parent of every orphaned descendant."""
    _check(lib.sb_hosted_adopt_orphans(), "the parent of orphans")


def die_with_parent(number: int) -> None:
    """Ask the kernel to send this process a signal when its parent dies."""
    _check(lib.sb_hosted_die_with_parent(number), "the signal of the parent's death")


def mark_of(run_dir: str) -> int:
    """Return the mark of the container with this run directory, whose name begins with its id."""
    name = os.path.basename(run_dir)
    try:
        number = int(name[:_DIGITS], 16)
    except ValueError:
        number = zlib.crc32(os.fsencode(name))
    return int(lib.SB_MARK_FIRST) + number


def take_mark(mark: int) -> bool:
    """Mark this process and its later children; return False where a low limit forbids that."""
    result: int = lib.sb_hosted_take_mark(mark)
    return result == 0


def processes(control_path: str, *, with_keeper: bool = False) -> list[int]:
    """Return the pids of the container's running processes, mostly without its keeper."""
    run_dir = os.path.dirname(control_path)
    keeper = 0 if with_keeper else keeper_of(run_dir)
    marked = [pid for pid in _marked(mark_of(run_dir)) if pid != keeper]
    return [*_running(marked), *_unmarked(control_path)]


def marked_container(pid: int) -> str | None:
    """Return the first digits of the id of the container that marked a process; None: no mark."""
    mark = _mark(pid) or 0
    return f"{mark - int(lib.SB_MARK_FIRST):0{_DIGITS}x}" if mark else None


def likely_processes(control_path: str) -> list[int]:
    """Return the pids that the container's table proposes, newest first; some may be wrong."""
    with suppress(NativeError):  # a guest can damage the table
        return [pid for pid, _ in sorted(_rows(control_path), key=lambda row: -row[1])]
    return []


def belongs(pid: int, run_dir: str) -> bool:
    """Tell whether a process is one of the container with this run directory."""
    mark = _mark(pid)
    return mark == mark_of(run_dir) or (mark == 0 and _executes_guest(pid, run_dir))


def keeper_of(run_dir: str) -> int:
    """Return the pid of the process that starts what joins the container; 0 if there is none.

    The kernel says who listens on the socket, and no guest can make another one there.
    """
    asking = UnixSocket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC)
    with suppress(OSError), closing(asking):
        folder = os.open(run_dir, os.O_PATH | os.O_DIRECTORY)
        try:
            asking.connect(f"/proc/self/fd/{folder}/keeper")  # a socket's path must be short
        finally:
            os.close(folder)
        return credentials_of(asking)[0]
    return 0


def credentials_of(connection: UnixSocket) -> tuple[int, int]:
    """Return pid and uid of the other end of a unix socket; the pid is 0 in another namespace."""
    packed = connection.getsockopt(SOL_SOCKET, SO_PEERCRED, _PEER.size)
    pid, uid, _ = _PEER.unpack(packed)
    return pid, uid


def signal_process(control_path: str, pid: int, number: int) -> bool:
    """Send a signal to a process of the container; return False if it is none, or has ended."""
    mark = mark_of(os.path.dirname(control_path))
    if lib.sb_hosted_signal_marked(pid, mark, number) == 0:
        return True
    if _mark(pid) != 0:
        return False
    with suppress(OSError):
        try:
            watch = os.pidfd_open(pid)
        except OSError as exc:
            if exc.errno != errno.ENOSYS or not _executes_guest(pid, os.path.dirname(control_path)):
                return False
            os.kill(pid, number)  # before Linux 5.3
            return True
        try:
            if _executes_guest(pid, os.path.dirname(control_path)):
                signal.pidfd_send_signal(watch, number)
                return True
        finally:
            os.close(watch)
    return False


def _marked(mark: int) -> list[int]:
    room = _FEW_PIDS
    while True:
        pids = ffi.new("uint32_t[]", room)
        count = lib.sb_hosted_marked(mark, pids, room)
        if count < 0:
            raise NativeError(-count, "cannot read /proc")
        if count <= room:
            return list(pids[0:count])
        room = 2 * count


def _running(pids: Sequence[int]) -> Iterator[int]:
    for pid in pids:
        status = status_of(pid)
        if status is not None and not status.has_ended:
            yield pid


def _unmarked(control_path: str) -> Iterator[int]:
    """Yield the running processes of the table that have no mark and execute the guest program."""
    run_dir = os.path.dirname(control_path)
    rows: list[tuple[int, int]] = []
    with suppress(NativeError):  # a guest can damage the table
        rows = _rows(control_path)
    for pid, started in rows:
        if _mark(pid) == 0 and _is_same(pid, started) and _executes_guest(pid, run_dir):
            yield pid


def _mark(pid: int) -> int | None:
    """Return the mark of a process, 0 for none; None if the process is gone or a stranger's."""
    found = ffi.new("uint64_t *")
    return int(found[0]) if lib.sb_hosted_mark_of(pid, found) == 0 else None


def _executes_guest(pid: int, run_dir: str) -> bool:
    try:
        return os.path.samefile(f"/proc/{pid}/exe", f"{run_dir}/guest")
    except OSError:
        return False


def _rows(control_path: str) -> list[tuple[int, int]]:
    """Return the rows of the table: pids, with the time of the row in ns since boot."""
    room = _FEW_PIDS
    while True:
        pids = ffi.new("uint32_t[]", room)
        started = ffi.new("uint64_t[]", room)
        count = lib.sb_hosted_processes(os.fsencode(control_path), pids, started, room)
        if count < 0:
            raise NativeError(-count, f"cannot read {control_path}")
        if count < room or room == _MAX_PIDS:
            return [(pids[i], started[i]) for i in range(count)]
        room = _MAX_PIDS


def end(control_path: str) -> None:
    """Make the container refuse new processes."""
    _check(lib.sb_hosted_end(os.fsencode(control_path)), control_path)


def limit_pids(control_path: str, limit: int) -> None:
    """Set the maximum number of tasks. It must not change from or to 0 (no limit) later."""
    result = lib.sb_hosted_limit_pids(os.fsencode(control_path), min(limit, lib.SB_MAX_PIDS))
    _check(result, control_path)


def show_limits(
    control_path: str, *, memory: int, cpus: Iterable[int], quota: int, pids: int
) -> None:
    """Say which limits programs see: bytes, CPUs, microseconds in `SB_CPU_PERIOD`, tasks."""
    words = [0] * (lib.SB_MAX_CPUS // 64)
    for cpu in cpus:
        if cpu < lib.SB_MAX_CPUS:
            words[cpu // 64] |= 1 << cpu % 64
    mask = ffi.new("uint64_t[]", words)
    result = lib.sb_hosted_show_limits(os.fsencode(control_path), memory, mask, quota, pids)
    _check(result, control_path)


def name_main(control_path: str, pid: int) -> None:
    """Make a process the one that the container's programs see as 1. It must not run yet."""
    _check(lib.sb_hosted_name_main(os.fsencode(control_path), pid), control_path)


def pace(control_path: str, pids: Sequence[int], *, stopped: bool) -> None:
    """Mark processes as stopped or continued from outside, which hides this from guests."""
    mark = lib.SB_PACED_STOPPED if stopped else lib.SB_PACED_CONTINUED
    listed = ffi.new("uint32_t[]", list(pids))
    _check(lib.sb_hosted_pace(os.fsencode(control_path), listed, len(pids), mark), control_path)


def _check(result: int, what: str) -> None:
    if result < 0:
        raise NativeError(-result, f"cannot change {what}")


def _is_same(pid: int, seen_ns: int) -> bool:
    """Return whether the process with that pid was already running at that time."""
    status = status_of(pid)
    if status is None or status.has_ended:
        return False
    return status.start_time * _TICK_NS <= seen_ns + _TICK_NS
