# SPDX-License-Identifier: MIT
"""What a member's name says about the layers below (OCI image spec, AUFS names).

``.wh.NAME`` removes NAME of the layers below; ``.wh..wh..opq`` hides all they have in
its directory; any other ``.wh..wh.`` name is AUFS bookkeeping and is ignored. Pure.
"""

from __future__ import annotations

from enum import Enum

from sandbox.errors import CorruptData

PREFIX = b".wh."
OPAQUE = b".wh..wh..opq"
_BOOKKEEPING = b".wh..wh."


class Mark(Enum):
    """What a base name stands for."""

    NONE = "an ordinary member"
    WHITEOUT = "the named entry is removed"
    OPAQUE = "the directory starts empty"
    IGNORED = "bookkeeping of AUFS"


def classify(name: bytes) -> tuple[Mark, bytes]:
    """Return what base name *name* means, and the entry it is about.

    >>> classify(b".wh.passwd")
    (<Mark.WHITEOUT: 'the named entry is removed'>, b'passwd')
    """
    if not name.startswith(PREFIX):
        return Mark.NONE, name
    if name == OPAQUE:
        return Mark.OPAQUE, b""
    if name.startswith(_BOOKKEEPING):
        return Mark.IGNORED, b""
    target = name.removeprefix(PREFIX)
    if target in (b"", b".", b".."):
        raise CorruptData(f"tar: the whiteout {name!r} removes nothing that can be")
    return Mark.WHITEOUT, target
