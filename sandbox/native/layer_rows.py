# SPDX-License-Identifier: MIT
"""Packs the table of a layer (meta.jsonl) into the binary rows that the C core reads.

Formats: the table has one JSON object a line; its byte strings are text of the code points 0 to
255. A packed row is a ``struct sb_row`` of csrc/layers/index_build.h, followed by the path, the
link target and the extended attributes.

Must not know: the meaning of rows. The C core merges the layers.
"""

from __future__ import annotations

import base64
import binascii
import os
import struct
from typing import IO, TYPE_CHECKING

import msgspec

from sandbox.errors import CorruptData

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_ROW = struct.Struct("=HBxIIIqQII")
_XATTR = struct.Struct("=HI")
_U32 = 0xFFFFFFFF
_PIECE = 256 * 1024


class _Line(msgspec.Struct, rename={"kind": "t", "path": "p"}):
    kind: str
    path: str
    m: int = 0
    u: int = 0
    g: int = 0
    mt: int = 0
    rdev: tuple[int, int] | None = None
    x: dict[str, str] | None = None
    link: str = msgspec.field(default="", name="l")


def pack_table(lines: IO[bytes]) -> bytearray:
    """Return the packed rows of a table, which is read in pieces. Raises CorruptData.

    >>> import io
    >>> len(pack_table(io.BytesIO(b'{"p": "etc", "t": "d", "m": 493}')))
    43
    """
    decoder = msgspec.json.Decoder(_Line)
    packed = bytearray()
    try:
        while piece := lines.readlines(_PIECE):
            packed += b"".join(_pack(decoder.decode_lines(b"".join(piece))))
        return packed
    except (msgspec.MsgspecError, binascii.Error, UnicodeError, struct.error) as exc:
        raise CorruptData(f"the table of a layer is damaged: {exc}") from exc


def _pack(table: list[_Line]) -> Iterator[bytes]:
    pack = _ROW.pack
    for line in table:
        path = line.path.encode("latin-1")
        link = line.link.encode("latin-1") if line.kind == "l" else b""
        xattrs = pack_xattrs(_decode_xattrs(line.x)) if line.x else b""
        device = os.makedev(*line.rdev) if line.rdev is not None else 0
        kind = ord(line.kind)
        uid, gid = line.u & _U32, line.g & _U32
        yield pack(len(path), kind, line.m, uid, gid, line.mt, device, len(link), len(xattrs))
        yield path
        yield link
        yield xattrs


def _decode_xattrs(texts: Mapping[str, str]) -> dict[bytes, bytes]:
    return {
        name.encode("latin-1"): base64.b64decode(value, validate=True)
        for name, value in texts.items()
    }


def pack_xattrs(xattrs: Mapping[bytes, bytes]) -> bytes:
    """Return extended attributes in the format of an index's nodes and of owner records."""
    return b"".join(
        _XATTR.pack(len(name), len(value)) + name + value for name, value in xattrs.items()
    )
