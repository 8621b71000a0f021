# SPDX-License-Identifier: MIT
"""Which container asks: the address says which, and the kernel says whether that is true.

How it works: every program of the machine can bind a container's address. So the kernel is
asked which socket would get the answer (sock_diag(7)): its user must be this one, and a process of
the container must hold it. That is looked up once for each socket, which the kernel numbers.

Rules: what is no container's gets no answer. Where the kernel does not say whose a socket is,
the address decides. A process that hides its descriptors is believed, since its container is known.

Does not know: what is asked.
"""

from __future__ import annotations

import os
import socket
import struct
from collections import OrderedDict, deque
from typing import TYPE_CHECKING

from sandbox.models.record import Record
from sandbox.native import process_table
from sandbox.runtime.rundir import RunDir

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox.runtime.network.names.name_book import Asker, NameBook

    Place = tuple[str, int]

_SOCK_DIAG = 4
_BY_FAMILY = 20
_REQUEST = 1
# struct nlmsghdr; struct inet_diag_req_v2: family, protocol, ext, pad, states, and its id:
# ports, both addresses, interface, cookie
_QUESTION = struct.Struct("=IHHII BBBxI 2s2s 4s12x4s12x I8s")
_ANSWER = struct.Struct("=IHHII 4x 2x2x 16x16x 4x8s I II I I")
_ANY_COOKIE = b"\xff" * 8
_REMEMBERED = 2048
_LATEST = 8


class Holder(Record, frozen=True):
    """What the kernel says of a socket."""

    cookie: bytes
    uid: int
    inode: int


class Askers:
    """Asks the kernel about sockets, and remembers whose they are."""

    def __init__(self, own: Place) -> None:
        """Serve the sockets at *own*; ask the kernel about them to see whether it answers."""
        self._own = own
        self._kernel: socket.socket | None = None
        self._known: OrderedDict[tuple[bytes, str], str] = OrderedDict()
        self._latest: deque[int] = deque(maxlen=_LATEST)  # the processes that asked last
        nobody = ("127.0.0.0", 0)
        self._told = {
            stream: self.holder(own, nobody, stream=stream) is not None for stream in (False, True)
        }

    def find(self, book: NameBook, peer: Place, *, stream: bool) -> Asker | None:
        """Return the container whose process holds the socket at *peer*; None: nobody's."""
        claimed = book.asker(peer[0])
        if not self._told[stream]:
            return claimed
        found = self.holder(peer, self._own, stream=stream)
        if found is None or found.uid not in (0, os.getuid()):
            return None
        key = (found.cookie, peer[0])
        if key not in self._known:
            link = f"socket:[{found.inode}]"
            owner = self._search(book, link) if claimed is None else claimed
            held = owner is not None and (claimed is None or self._has(claimed, link))
            self._known[key] = owner.address if owner is not None and held else ""
            if len(self._known) > _REMEMBERED:
                self._known.popitem(last=False)
        return book.asker(self._known[key])

    def holder(self, peer: Place, own: Place, *, stream: bool) -> Holder | None:
        """Return the socket at *peer* that is or would be connected to *own*; None: there is none.

        For datagrams the kernel takes the ends in the other order.
        """
        first, second = (peer, own) if stream else (own, peer)
        question = _QUESTION.pack(
            _QUESTION.size,
            _BY_FAMILY,
            _REQUEST,
            0,
            0,
            socket.AF_INET,
            socket.IPPROTO_TCP if stream else socket.IPPROTO_UDP,
            0,
            0xFFFFFFFF,
            first[1].to_bytes(2, "big"),
            second[1].to_bytes(2, "big"),
            socket.inet_aton(first[0]),
            socket.inet_aton(second[0]),
            0,
            _ANY_COOKIE,
        )
        try:
            if self._kernel is None:
                self._kernel = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, _SOCK_DIAG)
            self._kernel.send(question)
            answer = self._kernel.recv(4096)
        except OSError:
            return None
        if len(answer) < _ANSWER.size or struct.unpack_from("=IH", answer)[1] != _BY_FAMILY:
            return None
        cookie, _, _, _, uid, inode = _ANSWER.unpack_from(answer)[5:]
        return Holder(cookie, uid, inode)

    def _has(self, asker: Asker, link: str) -> bool:
        """Tell whether a process of the container holds the socket."""
        seen = set()
        hidden = []
        for pid, run_dir in self._candidates(asker):
            if pid in seen or not process_table.belongs(pid, run_dir):
                continue
            seen.add(pid)
            holds = _holds(pid, link)
            if holds:
                self._note(pid)
                return True
            if holds is None:
                hidden.append((pid, run_dir))
        return any(pid != process_table.keeper_of(run_dir) for pid, run_dir in hidden)

    def _candidates(self, asker: Asker) -> Iterator[tuple[int, str]]:
        for pid in list(self._latest):
            for run_dir in asker.run_dirs:
                yield pid, run_dir
        for run_dir in asker.run_dirs:
            for pid in process_table.likely_processes(RunDir(run_dir).control):
                yield pid, run_dir
        for run_dir in asker.run_dirs:  # a guest can damage the table
            for pid in process_table.processes(RunDir(run_dir).control, with_keeper=True):
                yield pid, run_dir

    def _search(self, book: NameBook, link: str) -> Asker | None:
        """Return the container that holds a socket without a container's address.

        Such a socket was bound to any address before it was connected.
        """
        numbers = (int(name) for name in os.listdir("/proc") if name.isdecimal())
        for pid in (*self._latest, *sorted(numbers, reverse=True)):  # most are new
            identity = process_table.marked_container(pid)
            asker = book.marked(identity) if identity else None
            if asker is not None and _holds(pid, link):
                self._note(pid)
                return asker
        for asker in book.askers():  # where a low limit forbids marks
            for run_dir in asker.run_dirs:
                for pid in process_table.likely_processes(RunDir(run_dir).control):
                    if process_table.belongs(pid, run_dir) and _holds(pid, link):
                        return asker
        return None

    def _note(self, pid: int) -> None:
        """Look at this process first the next time."""
        if pid in self._latest:
            self._latest.remove(pid)
        self._latest.appendleft(pid)


def _holds(pid: int, link: str) -> bool | None:
    """Tell whether a process has a socket open; None if it does not show what it has."""
    directory = f"/proc/{pid}/fd"
    try:
        numbers = os.listdir(directory)
    except PermissionError:
        return None
    except OSError:
        return False
    for number in reversed(numbers):  # the newest are the last
        try:
            if os.readlink(f"{directory}/{number}") == link:
                return True
        except OSError:
            continue
    return False
