# SPDX-License-Identifier: MIT
"""Move bytes from one descriptor to another inside the kernel with splice(2).

How it works: splice between a pipe and a socket, both non-blocking, in the event loop. Where
the kernel supports no splice for the pair, the bytes are copied.

Rules: all bytes that were read are written, unless the write fails.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import select
import struct
import termios

_COPIED = 64 * 1024
_NOT_HERE = (errno.EINVAL, errno.ENOSYS, errno.EOPNOTSUPP)


async def move(source: int, target: int, most: int) -> int:
    """Move up to *most* bytes; return how many, 0 at the source's end.

    One of the two descriptors is a pipe. Waits for both. Raises `OSError` if the target is
    closed.
    """
    while True:
        try:
            return os.splice(source, target, most, flags=os.SPLICE_F_NONBLOCK)
        except BlockingIOError:  # either of the two may not be ready
            missing = not _has_bytes(source)
        except OSError as exc:
            if exc.errno not in _NOT_HERE:
                raise
            return await _copy(source, target, most)
        await ready(source if missing else target, writing=not missing)


async def write(fd: int, data: bytes) -> None:
    """Write all of *data*; wait for the reader."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(fd, view) :]
        except BlockingIOError:
            await ready(fd, writing=True)
        else:
            await asyncio.sleep(0)


async def _copy(source: int, target: int, most: int) -> int:
    while True:
        try:
            data = os.read(source, min(most, _COPIED))
        except BlockingIOError:
            await ready(source, writing=False)
            continue
        await write(target, data)
        return len(data)


async def held(pipe: int) -> int:
    """Wait for bytes in a pipe and return their number; 0 at its end."""
    while not _has_bytes(pipe):
        await ready(pipe, writing=False)
    answer = fcntl.ioctl(pipe, termios.FIONREAD, bytes(4))
    return int(struct.unpack("i", answer)[0])


def _has_bytes(fd: int) -> bool:
    """Tell whether a read would return at once, with bytes or the end."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(0))


async def ready(fd: int, *, writing: bool) -> None:
    """Wait until a descriptor can be written or read."""
    loop = asyncio.get_running_loop()
    waiter = loop.create_future()

    def wake() -> None:
        if not waiter.done():
            waiter.set_result(None)

    add, remove = (
        (loop.add_writer, loop.remove_writer) if writing else (loop.add_reader, loop.remove_reader)
    )
    add(fd, wake)
    try:
        await waiter
    finally:
        remove(fd)
