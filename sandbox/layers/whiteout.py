# SPDX-License-Identifier: MIT
"""Whiteouts: names of tar members that hide entries of lower layers. Pure.

Source: the OCI image specification, which took the names from AUFS. ``.wh.NAME`` hides NAME;
``.wh..wh..opq`` hides all lower entries of its directory. Other ``.wh..wh.`` names are AUFS
bookkeeping, and are ignored.
"""

from __future__ import annotations

from enum import Enum

from sandbox.errors import CorruptData, Unsupported

PREFIX = b".wh."
OPAQUE = b".wh..wh..opq"
_BOOKKEEPING = b".wh..wh."
_LONGEST = 4094  # what the kernel takes after a slash


class Mark(Enum):
    """The meaning of a base name."""

    NONE = "an ordinary member"
    WHITEOUT = "the named entry is removed"
    OPAQUE = "the directory starts empty"
    IGNORED = "bookkeeping of AUFS"


def check_name(path: bytes) -> None:
    """Check that a container can see a file with this path in a layer. Raises Unsupported.

    >>> check_name(b"a/.wh.b")
    Traceback (most recent call last):
    sandbox.errors.Unsupported: a layer cannot hold the file a/.wh.b: the name hides another one
    """
    if len(path) > _LONGEST:
        shown = path[:60].decode("utf-8", "backslashreplace")
        raise Unsupported(f"the path of a file is too long: {shown}...")
    if path.rpartition(b"/")[2].startswith(PREFIX):
        shown = path.decode("utf-8", "backslashreplace")
        raise Unsupported(f"a layer cannot hold the file {shown}: the name hides another one")


def classify(name: bytes) -> tuple[Mark, bytes]:
    """Return the meaning of the base name *name*, and the entry that it hides.

    Raises CorruptData for a whiteout of "", "." or "..".

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
        raise CorruptData(f"tar: the whiteout {name!r} names no entry")
    return Mark.WHITEOUT, target
