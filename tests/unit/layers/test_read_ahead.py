# SPDX-License-Identifier: MIT
from __future__ import annotations

import io
import threading

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import CorruptData
from sandbox.layers import read_ahead
from sandbox.layers.read_ahead import ReadAhead

DATA = bytes(range(256)) * 20_000


@given(st.lists(st.integers(0, 3_000_000), max_size=6))
def test_the_bytes_are_unchanged_and_in_order(sizes: list[int]) -> None:
    plain = io.BytesIO(DATA)
    with ReadAhead(io.BytesIO(DATA)) as reader:
        for size in sizes:
            assert reader.read(size) == plain.read(size)
        reader.drain()
        assert reader.read(1) == b""


class Broken:
    """Returns some bytes and then fails like a decoder."""

    def __init__(self) -> None:
        self.asked = 0

    def read(self, size: int, /) -> bytes:
        self.asked += 1
        if self.asked > 2:
            raise CorruptData("damaged")
        return bytes(size)


def test_an_error_of_the_source_is_raised_after_its_bytes() -> None:
    with ReadAhead(Broken()) as reader:
        assert len(reader.read(2 * read_ahead._PIECE)) == 2 * read_ahead._PIECE
        for _ in range(2):
            with pytest.raises(CorruptData, match="damaged"):
                reader.read(1)


class Endless:
    """Never ends; counts the bytes that were read."""

    def __init__(self) -> None:
        self.taken = 0

    def read(self, size: int, /) -> bytes:
        self.taken += size
        return bytes(size)


def test_only_a_little_is_read_ahead_and_the_thread_ends_with_the_reader() -> None:
    source = Endless()
    before = set(threading.enumerate())  # other threads may end meanwhile
    with ReadAhead(source) as reader:
        reader.read(10)
    assert not set(threading.enumerate()) - before
    assert source.taken <= (read_ahead._PIECES + 3) * read_ahead._PIECE
