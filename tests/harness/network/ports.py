# SPDX-License-Identifier: MIT
"""Free ports of the machine, for servers of tests.

How it works: each process takes a block of ports for as long as it lives. A socket bound to the
first port of the block keeps other test processes away. All blocks lie below the ports that the
kernel gives to outgoing connections and those that the engine chooses for published ports. So a
free port is still free when its server binds it.

Does not know: the servers.
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
    """Return the ports of this process in turn: the last used port is the last to be used again."""
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
