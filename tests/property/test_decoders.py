# SPDX-License-Identifier: MIT
"""Any compressed data gives bytes or an error, in bounded memory."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import random
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import CorruptData, StoreFull, Unsupported
from sandbox.layers.byte_streams import HashingReader, decompressed
from sandbox.layers.decoders import xz_window, zstd_window
from sandbox.layers.memory_budget import Memory, Use
from tests.harness import images

_MIB = 1024 * 1024
_TEXT = random.Random(1).randbytes(3000) + b"some bytes " * 500
_STREAMS = [
    gzip.compress(_TEXT),
    bz2.compress(_TEXT),
    lzma.compress(_TEXT, preset=0),
    lzma.compress(_TEXT) + bytes(8) + lzma.compress(_TEXT, check=lzma.CHECK_SHA256),
    images.zstd(_TEXT),
    images.zstd_with_window(_TEXT, 20) + images.zstd(_TEXT),
    bytes.fromhex("5a2a4d18 03000000") + b"abc" + images.zstd(_TEXT),
]
_CHANGES = st.lists(st.tuples(st.integers(0, 9000) | st.integers(0, 40), st.integers(0, 255)))


@given(st.sampled_from(_STREAMS), _CHANGES, st.integers(0, 9000) | st.none())
def test_damaged_data_gives_bytes_or_an_error(
    data: bytes, changes: list[tuple[int, int]], end: int | None
) -> None:
    damaged = bytearray(data)
    for place, value in changes:
        damaged[place % len(damaged)] = value
    share = Memory(40 * _MIB).share()
    reader = HashingReader(decompressed(io.BytesIO(bytes(damaged[:end])), share), limit=_MIB)
    with suppress(CorruptData, Unsupported, StoreFull):
        reader.drain()
    assert share.held[Use.WINDOW] <= 40 * _MIB


@given(st.binary(max_size=40))
def test_any_header_gives_a_valid_window_size(data: bytes) -> None:
    assert zstd_window(b"\x28\xb5\x2f\xfd" + data) >= 0
    assert 0 <= xz_window(b"\xfd7zXZ\0\0\4" + data) < 2**32
