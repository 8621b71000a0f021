# SPDX-License-Identifier: MIT
"""How much memory the layers that are unpacked at the same time may take together.

How it works: an unpacker needs its buffers, a few bytes for each member and the window
of its decoder; it asks before it takes more. What does not fit waits until others are
done. The eldest never waits for one that waits itself: that one gives way, which means
that it starts again later.

Rules: never more than MOST bytes together; what needs more alone is refused. Only the
eldest may make others give way, so one layer always goes on.
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
"""Bytes for a whole pull: with the interpreter and its libraries (45 MiB) below 150 MiB."""
_BUFFERS = 5 * _MIB  # what is read ahead of one layer, and decoded at a time
_A_MEMBER = 24  # a slot of 8 bytes, at most half of them used, and the old ones while they move


class GiveWay(SandboxError):  # noqa: N818 - no failure of its own
    """An elder layer needs the memory: let go of everything and begin again."""


class Use(Enum):
    """What a layer has memory for."""

    BUFFERS = "buffers"
    MEMBERS = "members"
    WINDOW = "window"


class Memory:
    """Shared by the unpackers of one pull."""

    def __init__(self, most: int | None = None) -> None:
        """Give out *most* bytes, or what SANDBOX_UNPACK_MEMORY says."""
        self.most = _most_of_user() if most is None else most
        self.changed = threading.Condition()
        self.shares: list[Share] = []  # the eldest first

    def share(self) -> Share:
        """Return the part of one layer; it counts until it is closed."""
        return Share(self)

    def may_have(self, who: Share, use: Use, size: int) -> bool:
        """Tell whether *who* may have *size* bytes for something now."""
        eldest = self.shares[0]
        others = sum(
            max(other.has(), other.wants()) if other is eldest else other.has()
            for other in self.shares
            if other is not who
        )
        return others + who.has() - who.held[use] + size <= self.most

    def make_way(self, who: Share) -> None:
        """Let the youngest give way, if nobody but the eldest could change anything."""
        holders = [other for other in self.shares if other is not who and other.has()]
        if who is self.shares[0] and all(one.waits and not one.gives_way for one in holders):
            holders[-1].gives_way = True
            self.changed.notify_all()


class Share(Closing):
    """What one layer has of the memory. May be asked by two threads."""

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.held = dict.fromkeys(Use, 0)
        self._wanted = dict.fromkeys(Use, 0)
        self.waits = 0  # threads
        self.gives_way = False
        with memory.changed:
            memory.shares.append(self)
        try:
            self._ask(Use.BUFFERS, _BUFFERS)
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Give everything back."""
        with self._memory.changed:
            if self in self._memory.shares:
                self._memory.shares.remove(self)
            self._memory.changed.notify_all()

    def members(self, count: int) -> None:
        """Ask for what is kept of *count* members; may wait, and raises GiveWay."""
        self._ask(Use.MEMBERS, count * _A_MEMBER)

    def window(self, size: int) -> None:
        """Ask for a decoder's *size* bytes instead of the last one's; 0 gives them back."""
        self._ask(Use.WINDOW, size)

    def has(self) -> int:
        """Return the bytes this layer may take."""
        return sum(self.held.values())

    def wants(self) -> int:
        """Return the bytes it would take if it had not to wait."""
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
        memory.changed.notify_all()  # the eldest may ask for the way now
        try:
            while True:
                if self.gives_way:
                    raise GiveWay("an earlier layer needs the memory")
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
