# SPDX-License-Identifier: MIT
from __future__ import annotations

import bz2
import gzip
import io
import lzma
import zlib

import pytest

from sandbox.errors import CorruptData, DigestMismatch, StoreFull, Unsupported
from sandbox.layers.byte_streams import HashingReader, decompressed
from sandbox.models.digest import digest_of

DATA = b"some bytes " * 1000


def zstd(data: bytes) -> bytes:
    module = pytest.importorskip("backports.zstd")
    compressed: bytes = module.compress(data)
    return compressed


FORMATS = {
    "plain": bytes,
    "gzip": gzip.compress,
    "bzip2": bz2.compress,
    "xz": lzma.compress,
    "zstd": zstd,
}


@pytest.mark.parametrize("name", FORMATS)
def test_the_compression_is_detected_by_the_first_bytes(name: str) -> None:
    reader = HashingReader(decompressed(io.BytesIO(FORMATS[name](DATA))))
    assert reader.read(len(DATA) + 1) == DATA
    assert reader.digest == digest_of(DATA)


@pytest.mark.parametrize("name", ["gzip", "bzip2", "xz", "zstd"])
@pytest.mark.parametrize("damage", ["cut", "flip"])
def test_damaged_compressed_data_is_an_error(name: str, damage: str) -> None:
    data = bytearray(FORMATS[name](DATA))
    if damage == "cut":
        del data[len(data) // 2 :]
    else:
        data[len(data) // 2] ^= 0xFF
    reader = HashingReader(decompressed(io.BytesIO(bytes(data))))
    with pytest.raises(CorruptData):
        reader.verify(digest=digest_of(DATA), size=None, what="it")


class Dribble:
    """A pipe that gives one byte at a time."""

    def __init__(self, data: bytes) -> None:
        self._data = io.BytesIO(data)

    def read(self, _size: int, /) -> bytes:
        return self._data.read(1)


@pytest.mark.parametrize("name", FORMATS)
def test_a_pipe_that_gives_single_bytes_is_read_completely(name: str) -> None:
    reader = HashingReader(decompressed(Dribble(FORMATS[name](DATA))))
    assert reader.read(len(DATA)) == DATA


def test_several_gzip_members_are_one_stream() -> None:
    data = gzip.compress(b"a") + gzip.compress(b"b")
    assert HashingReader(decompressed(io.BytesIO(data))).read(9) == b"ab"


def test_several_xz_streams_with_padding_are_one_stream() -> None:
    one, two = lzma.compress(b"a"), lzma.compress(b"b" * 300_000)
    much = one + bytes(400_000) + two + bytes(4)
    for source in (io.BytesIO(much), Dribble(one + bytes(8) + two)):
        reader = HashingReader(decompressed(source))
        assert reader.read(3) == b"abb"
        reader.drain()
        assert reader.count == 300_001


def hungry_xz() -> bytes:
    """Return a stream whose header asks for a dictionary of 1 GiB."""
    data = bytearray(lzma.compress(b"x", preset=0))
    assert data[14:16] == b"\x21\x01"  # LZMA2, one byte of properties
    data[16] = 36
    data[20:24] = zlib.crc32(data[12:20]).to_bytes(4, "little")
    return bytes(data)


HUNGRY = {
    "xz": hungry_xz(),
    "zstd": bytes.fromhex("28b52ffd 00 a8 090000") + b"x",  # a window of 2 GiB
}


@pytest.mark.parametrize("name", HUNGRY)
def test_a_small_stream_that_needs_much_memory_is_refused(name: str) -> None:
    with pytest.raises(Unsupported, match="more than 96 MiB"):
        HashingReader(decompressed(io.BytesIO(HUNGRY[name]))).drain()


def test_the_strongest_presets_are_read() -> None:
    data = lzma.compress(DATA, preset=9 | lzma.PRESET_EXTREME)
    assert HashingReader(decompressed(io.BytesIO(data))).read(len(DATA)) == DATA


def test_reading_more_than_the_limit_gives_store_full() -> None:
    reader = HashingReader(io.BytesIO(bytes(100)), limit=99)
    assert reader.read(99) == bytes(99)
    with pytest.raises(StoreFull):
        reader.read(1)


@pytest.mark.parametrize(("promise", "word"), [(9, "more"), (11, "less")])
def test_a_wrong_size_is_an_error(promise: int, word: str) -> None:
    with pytest.raises(DigestMismatch, match=word):
        HashingReader(io.BytesIO(bytes(10))).verify(digest=None, size=promise, what="it")


def test_a_wrong_digest_is_an_error() -> None:
    HashingReader(io.BytesIO(b"x")).verify(digest=digest_of(b"x"), size=1, what="it")
    with pytest.raises(DigestMismatch):
        HashingReader(io.BytesIO(b"x")).verify(digest=digest_of(b"y"), size=1, what="it")
