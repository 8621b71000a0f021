# SPDX-License-Identifier: MIT
"""Ports of the machine for servers of tests: free, and nobody else's.

How it works: a process takes a block of ports for as long as it lives, and a socket that is
bound to the first of them keeps the others away. All lie below those that the kernel gives to
outgoing connections and those that the engine gives to published ports by itself, so what is
free now is still free when the server that it is for binds it.

Does not know: who listens there.
"""

from __future__ import annotations

import functools
import itertools
import os
import socket

_FIRST, _BLOCKS, _BLOCK = 10_000, 50, 200


def free_port() -> int:
    """Return a port that is free for every protocol and address."""
    return free_ports(1)


def free_ports(count: int) -> int:
    """Return the first of *count* free ports in a row."""
    rounds = _rounds()
    for _ in range(_BLOCK):
        first = next(rounds)
        wanted = range(first, first + count)
        if set(wanted) <= set(_block()) and all(map(_is_free, wanted)):
            for _ in wanted[1:]:
                next(rounds)
            return first
    raise AssertionError(f"no {count} free ports in {_block()}")


@functools.cache
def _rounds() -> itertools.cycle[int]:
    """The ports of this process, in turn: one that was just used is the last to be used again."""
    return itertools.cycle(_block())


@functools.cache
def _block() -> range:
    for number in range(_BLOCKS):
        first = _FIRST + (os.getpid() + number) % _BLOCKS * _BLOCK
        claim = socket.socket()
        try:
            claim.bind(("127.0.0.1", first))
        except OSError:
            claim.close()
            continue
        claim.detach()  # until the process ends
        return range(first + 1, first + _BLOCK)
    raise AssertionError("no free ports")


def _is_free(port: int) -> bool:
    dual = socket.has_dualstack_ipv6()
    for kind in (socket.SOCK_STREAM, socket.SOCK_DGRAM):
        with socket.socket(socket.AF_INET6 if dual else socket.AF_INET, kind) as probe:
            if dual:
                probe.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 0)
            try:
                probe.bind(("::" if dual else "0.0.0.0", port))
            except OSError:
                return False
    return True
