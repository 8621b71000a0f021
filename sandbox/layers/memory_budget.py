# SPDX-License-Identifier: MIT
"""Limits the memory of the layers that one pull unpacks at the same time.

How it works: an unpacker needs buffers, a few bytes for each member, and the window of its
decoder. It asks before it uses more memory. A request that does not fit waits until other
layers are done. If the oldest layer waits only for layers that wait as well, the youngest of
them must give way: it releases its memory and starts again later.

Rules: all layers together use at most MOST bytes; a layer that alone needs more is refused.
Only the oldest layer makes others give way, so at least one layer always makes progress.
"""

from __future__ import annotations

import os
import threading
from enum import Enum

from sandbox.errors import SandboxError, Unsupported
from sandbox.models.closable import Closing
from sandbox.models.policy import parse_bytes

_MIB = 1024 * 1024
MOST = 96 * _MIB
"""Bytes for a pull. With the interpreter and its libraries (45 MiB) it stays below 150 MiB."""
_BUFFERS = 5 * _MIB  # bytes that one layer reads ahead and decodes at a time
_A_MEMBER = 24  # bytes: half-filled slots of 8 bytes, and the old ones while they are moved


class GiveWay(SandboxError):  # noqa: N818 - not a failure
    """An older layer needs the memory: release everything and start again."""


class Use(Enum):
    """The purpose of the memory."""

    BUFFERS = "buffers"
    MEMBERS = "members"
    WINDOW = "window"


class Memory:
    """The memory that the unpackers of one pull share."""

    def __init__(self, most: int | None = None) -> None:
        """Allow *most* bytes; None means SANDBOX_UNPACK_MEMORY or MOST."""
        self.most = _most_of_user() if most is None else most
        self.changed = threading.Condition()
        self.shares: list[Share] = []  # the oldest first

    def share(self) -> Share:
        """Return the share of one more layer, which counts until it is closed."""
        return Share(self)

    def may_have(self, who: Share, use: Use, size: int) -> bool:
        """Return whether *who* may now have *size* bytes for *use*."""
        oldest = self.shares[0]
        others = sum(
            max(other.has(), other.wants()) if other is oldest else other.has()
            for other in self.shares
            if other is not who
        )
        return others + who.has() - who.held[use] + size <= self.most

    def make_way(self, who: Share) -> None:
        """Make the youngest layer give way if *who*, the oldest, waits only for waiting ones."""
        holders = [other for other in self.shares if other is not who and other.has()]
        if who is self.shares[0] and all(one.waits and not one.gives_way for one in holders):
            holders[-1].gives_way = True
            self.changed.notify_all()


class Share(Closing):
    """The memory of one layer. Two threads may use it."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.held = dict.fromkeys(Use, 0)
        self._wanted = dict.fromkeys(Use, 0)
        self.waits = 0  # waiting threads
        self.gives_way = False
        with memory.changed:
            memory.shares.append(self)
        try:
            self._ask(Use.BUFFERS, _BUFFERS)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Release all memory."""
        with self._memory.changed:
            if self in self._memory.shares:
                self._memory.shares.remove(self)
            self._memory.changed.notify_all()

    def members(self, count: int) -> None:
        """Request the memory for *count* members. May wait; raises GiveWay or Unsupported."""
        self._ask(Use.MEMBERS, count * _A_MEMBER)

    def window(self, size: int) -> None:
        """Request *size* bytes for a decoder, instead of the last request; 0 releases them."""
        self._ask(Use.WINDOW, size)

    def has(self) -> int:
        """Return the number of bytes that this layer may use now."""
        return sum(self.held.values())

    def wants(self) -> int:
        """Return the number of bytes that this layer holds or waits for."""
        return sum(max(self.held[use], self._wanted[use]) for use in Use)

    def _ask(self, use: Use, size: int) -> None:
        memory = self._memory
        with memory.changed:
            if size > self.held[use]:
                self._wait(use, size)
            self.held[use] = size
            memory.changed.notify_all()

    def _wait(self, use: Use, size: int) -> None:
        memory = self._memory
        self._wanted[use] = size
        self.waits += 1
        memory.changed.notify_all()  # lets the oldest check whether everybody waits
        try:
            while True:
                if self.gives_way:
                    raise GiveWay("an older layer needs the memory")
                if self.has() - self.held[use] + size > memory.most:
                    raise _too_much(memory.most)
                if memory.may_have(self, use, size):
                    return
                memory.make_way(self)
                memory.changed.wait()
        finally:
            self.waits -= 1
            self._wanted[use] = 0


def _too_much(most: int) -> Unsupported:
    return Unsupported(
        f"the layer needs more than {most // _MIB} MiB of memory to be unpacked"
        " (SANDBOX_UNPACK_MEMORY=SIZE allows more)"
    )


def _most_of_user() -> int:
    text = os.environ.get("SANDBOX_UNPACK_MEMORY")
    return max(parse_bytes(text), _BUFFERS) if text else MOST
