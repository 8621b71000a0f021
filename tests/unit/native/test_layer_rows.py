# SPDX-License-Identifier: MIT
"""The table of a layer as the C core reads it."""

from __future__ import annotations

import io
import os
import struct

import pytest

from sandbox.errors import CorruptData
from sandbox.native.layer_rows import pack_table, pack_xattrs

ROW = struct.Struct("=HBxIIIqQII")  # struct sb_layer_row, before the texts


def test_a_row_is_a_fixed_header_and_its_texts() -> None:
    packed = bytes(
        pack_table(io.BytesIO(b'{"p":"a\\u00ff","t":"l","m":511,"u":1,"g":2,"mt":-3,"l":"to"}'))
    )
    head = ROW.unpack_from(packed)
    assert head == (2, ord("l"), 0o777, 1, 2, -3, 0, 2, 0)
    assert packed[ROW.size :] == b"a\xffto"


def test_only_devices_have_numbers_and_only_symlinks_have_targets() -> None:
    packed = bytes(pack_table(io.BytesIO(b'{"p":"d","t":"c","rdev":[5,1],"l":"ignored"}')))
    assert ROW.unpack_from(packed)[6:8] == (os.makedev(5, 1), 0)


def test_extended_attributes_follow_their_lengths() -> None:
    packed = pack_xattrs({b"user.a": b"x\0y", b"b": b""})
    assert packed == b"\6\0\3\0\0\0user.ax\0y" + b"\1\0\0\0\0\0b"
    table = bytes(pack_table(io.BytesIO(b'{"p":"f","t":"f","x":{"b":""}}')))
    assert table.endswith(b"f" + pack_xattrs({b"b": b""}))


@pytest.mark.parametrize(
    "line",
    [
        b"{",
        b'{"t":"f"}',
        b'{"p":3,"t":"f"}',
        b'{"p":"a","t":"f","x":{"b":"%%"}}',
        '{"p":"\u0100","t":"f"}'.encode(),
        b'{"p":"a","t":"f","mt":1e99}',
    ],
)
def test_a_damaged_table_is_an_error(line: bytes) -> None:
    with pytest.raises(CorruptData, match="table of a layer is damaged"):
        pack_table(io.BytesIO(line))
