# SPDX-License-Identifier: MIT
"""Frames and messages of the control protocol."""

from __future__ import annotations

import os
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.errors import CorruptData
from sandbox.runtime.supervisor import protocol
from sandbox.runtime.terminal import KeyWatch


@given(
    st.lists(st.tuples(st.integers(0, 3), st.binary(max_size=300)), max_size=20),
    st.integers(1, 50),
)
def test_frames_may_arrive_in_any_pieces(frames: list[tuple[int, bytes]], size: int) -> None:
    stream = b"".join(protocol.frame(number, data) for number, data in frames)
    reader = protocol.Frames()
    found: list[tuple[int, bytes]] = []
    left = 0  # bytes of a frame that arrives in pieces
    for start in range(0, len(stream), size):
        for number, data in reader.feed(stream[start : start + size]):
            if left:
                found[-1] = (number, found[-1][1] + data)
            else:
                found.append((number, data))
            left = len(frames[len(found) - 1][1]) - len(found[-1][1])
            assert not left or (number != protocol.CONTROL and data)
    assert found == frames


def test_the_unsent_rest_of_a_frame_is_returned() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        ours.setblocking(False)
        content = os.urandom(3 << 20)
        rest = protocol.send_frame(ours, protocol.STDOUT, content)
        assert rest
        assert protocol.send_frame(ours, protocol.STDOUT, b"more") == protocol.frame(
            protocol.STDOUT, b"more"
        )
        reader = protocol.Frames()
        found = b"".join(data for _, data in reader.feed(theirs.recv(8 << 20)))
        assert found + rest == content
        theirs.close()
        with pytest.raises(BrokenPipeError):
            protocol.send_frame(ours, protocol.STDOUT, b"x")


@pytest.mark.parametrize("data", [b"\x09" + bytes(7), b"\x01\0\0\0\xff\xff\xff\xff"])
def test_an_invalid_frame_is_refused(data: bytes) -> None:
    with pytest.raises(CorruptData):
        list(protocol.Frames().feed(data))


@pytest.mark.parametrize("data", [b"", b"{", b"[1]", b"\xff"])
def test_an_invalid_message_is_refused(data: bytes) -> None:
    with pytest.raises(CorruptData):
        protocol.parse_line(data)


def test_detach_keys_are_found_in_any_pieces_and_other_input_is_kept() -> None:
    keys = KeyWatch(b"\x10\x11")
    assert keys.take(b"a\x10") == b"a"
    assert keys.take(b"b\x10\x10") == b"\x10b\x10"
    assert not keys.found
    assert keys.take(b"\x11rest") == b""
    assert keys.found
