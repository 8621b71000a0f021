# SPDX-License-Identifier: MIT
from __future__ import annotations

import socket

from sandbox.runtime.network.names.loop import READ, WRITE, Loop


def test_a_ready_socket_is_served_until_it_is_watched_no_longer() -> None:
    loop, seen = Loop(), []
    ours, theirs = socket.socketpair()
    with ours, theirs:
        loop.watch(ours, READ, seen.append)
        theirs.send(b"x")
        loop.turn()
        loop.watch(ours, WRITE, lambda _: seen.append("write"))
        loop.turn()
        loop.watch(ours, 0, None)
        loop.watch(ours, 0, None)
        loop.after(0, lambda: seen.append("end"))
        loop.turn()
    assert seen == [READ, "write", "end"]


def test_timers_ring_in_order_and_stopped_ones_do_not() -> None:
    loop, seen = Loop(), []
    loop.after(0.002, lambda: seen.append("second"))
    loop.after(0, lambda: seen.append("first"))
    loop.after(0, lambda: seen.append("never")).stop()
    loop.turn()
    while len(seen) < 2:
        loop.turn()
    assert seen == ["first", "second"]


def test_a_socket_that_an_earlier_call_closed_is_not_served() -> None:
    loop, seen = Loop(), []
    pairs = [socket.socketpair() for _ in range(2)]
    for number, (ours, theirs) in enumerate(pairs):

        def served(_mask: int, number: int = number) -> None:
            seen.append(number)
            other = pairs[1 - number][0]
            loop.watch(other, 0, None)

        loop.watch(ours, READ, served)
        theirs.send(b"x")
    loop.turn()
    assert len(seen) == 1
    for pair in pairs:
        for sock in pair:
            sock.close()
