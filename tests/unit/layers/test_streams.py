# SPDX-License-Identifier: MIT
from __future__ import annotations

import bz2
import gzip
import io
import lzma

import pytest

from sandbox.errors import CorruptData, DigestMismatch, StoreFull
from sandbox.layers.streams import HashingReader, decompressed
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
def test_the_format_is_found_by_its_first_bytes(name: str) -> None:
    reader = HashingReader(decompressed(io.BytesIO(FORMATS[name](DATA))))
    assert reader.read(len(DATA) + 1) == DATA
    assert reader.digest == digest_of(DATA)


@pytest.mark.parametrize("name", ["gzip", "bzip2", "xz", "zstd"])
@pytest.mark.parametrize("damage", ["cut", "flip"])
def test_damaged_compressed_data_is_corrupt_data(name: str, damage: str) -> None:
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
def test_a_slow_pipe_is_read_in_full(name: str) -> None:
    reader = HashingReader(decompressed(Dribble(FORMATS[name](DATA))))
    assert reader.read(len(DATA)) == DATA


def test_several_gzip_members_are_one_stream() -> None:
    data = gzip.compress(b"a") + gzip.compress(b"b")
    assert HashingReader(decompressed(io.BytesIO(data))).read(9) == b"ab"


def test_more_than_the_limit_is_a_full_store() -> None:
    reader = HashingReader(io.BytesIO(bytes(100)), limit=99)
    assert reader.read(99) == bytes(99)
    with pytest.raises(StoreFull):
        reader.read(1)


@pytest.mark.parametrize(("promise", "word"), [(9, "more"), (11, "less")])
def test_a_promised_size_must_be_met(promise: int, word: str) -> None:
    with pytest.raises(DigestMismatch, match=word):
        HashingReader(io.BytesIO(bytes(10))).verify(digest=None, size=promise, what="it")


def test_a_promised_digest_must_be_met() -> None:
    HashingReader(io.BytesIO(b"x")).verify(digest=digest_of(b"x"), size=1, what="it")
    with pytest.raises(DigestMismatch):
        HashingReader(io.BytesIO(b"x")).verify(digest=digest_of(b"y"), size=1, what="it")
