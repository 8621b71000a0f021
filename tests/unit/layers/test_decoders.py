# SPDX-License-Identifier: MIT
from __future__ import annotations

import io
import lzma
import random

import pytest

from sandbox.errors import Unsupported
from sandbox.layers.byte_streams import HashingReader, decompressed
from sandbox.layers.decoders import xz_window, zstd_window
from sandbox.layers.memory_budget import Memory, Use
from tests.harness import images

MIB = 1024 * 1024
SKIPPED = bytes.fromhex("5a2a4d18 03000000") + b"abc"  # a skippable frame
TEXT = b"some bytes " * 1000


@pytest.mark.parametrize(
    ("head", "window"),
    [
        ("28b52ffd 00 88", 128 * MIB),
        ("28b52ffd 00 59", 2 * MIB + MIB // 4),  # with a mantissa
        ("28b52ffd 20 07", 7),  # a single segment: its content
        ("28b52ffd 60 0001", 512),  # two bytes begin at 256
        ("28b52ffd 80 88 00100000", 4096),  # the content size is smaller than the window
        ("28b52ffd 03 50 01020304", MIB),  # a dictionary's id
        ("5a2a4d18 03000000", 0),
        ("28b52f", 0),
    ],
)
def test_the_header_of_a_zstd_frame_gives_the_window_size(head: str, window: int) -> None:
    assert zstd_window(bytes.fromhex(head)) == window


@pytest.mark.parametrize("preset", [0, 6, 9])
def test_the_header_of_an_xz_block_gives_the_dictionary_size(preset: int) -> None:
    size = {0: 256 * 1024, 6: 8 * MIB, 9: 64 * MIB}[preset]
    assert xz_window(lzma.compress(TEXT, preset=preset)) == size
    filters = [{"id": lzma.FILTER_X86}, {"id": lzma.FILTER_LZMA2, "preset": preset}]
    assert xz_window(lzma.compress(TEXT, filters=filters)) == size


def test_zstd_frames_and_skippable_frames_are_one_stream() -> None:
    much = random.Random(1).randbytes(700_000)
    data = SKIPPED + images.zstd(TEXT) + SKIPPED + images.zstd(much) + images.zstd(b"") + SKIPPED
    reader = HashingReader(decompressed(io.BytesIO(data)))
    assert reader.read(2 * MIB) == TEXT + much


def test_each_frame_reserves_its_window_and_frees_it_at_the_end() -> None:
    big = images.zstd_with_window(b"x" * (3 * MIB), 22)
    small = images.zstd_with_window(b"y" * MIB, 15)
    share = Memory(20 * MIB).share()
    stream = decompressed(io.BytesIO(big + small), share)
    assert stream.read(1) == b"x"
    assert 4 * MIB <= share.held[Use.WINDOW] <= 6 * MIB
    while stream.read(MIB)[:1] != b"y":
        pass
    assert share.held[Use.WINDOW] < 2 * MIB
    while stream.read(MIB):
        pass
    assert share.held[Use.WINDOW] == 0


def test_an_empty_xz_stream_is_read() -> None:
    data = lzma.compress(b"") + lzma.compress(TEXT)
    assert HashingReader(decompressed(io.BytesIO(data))).read(MIB) == TEXT


def test_a_later_xz_stream_that_needs_too_much_memory_is_refused() -> None:
    data = lzma.compress(b"x", preset=0) + lzma.compress(TEXT, preset=9)
    reader = HashingReader(decompressed(io.BytesIO(data), Memory(10 * MIB).share()))
    with pytest.raises(Unsupported, match="more than 10 MiB"):
        reader.drain()
