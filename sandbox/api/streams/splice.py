# SPDX-License-Identifier: MIT
"""Bytes from one descriptor to another inside the kernel: Python sees none of them.

How it works: splice(2) between a pipe and a socket, both not blocking, in the event loop;
where a kernel has none for such a pair, the bytes are copied.

Rules: nothing is read that is not also written, unless the writing fails.
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
    """Move up to *most* bytes, one of them a pipe; return how many, 0 at the source's end.

    Waits for both. `OSError` if the target takes no more.
    """
    while True:
        try:
            return os.splice(source, target, most, flags=os.SPLICE_F_NONBLOCK)
        except BlockingIOError:  # it is not said which of both is not ready
            missing = not _has_bytes(source)
        except OSError as exc:
            if exc.errno not in _NOT_HERE:
                raise
            return await _copy(source, target, most)
        await ready(source if missing else target, writing=not missing)


async def write(fd: int, data: bytes) -> None:
    """Write all of *data*, waiting for who reads."""
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
    """Return how many bytes a pipe holds, waiting for some; 0 at its end."""
    while not _has_bytes(pipe):
        await ready(pipe, writing=False)
    answer = fcntl.ioctl(pipe, termios.FIONREAD, bytes(4))
    return int(struct.unpack("i", answer)[0])


def _has_bytes(fd: int) -> bool:
    """Tell whether reading would not wait: there are bytes, or the end."""
    poll = select.poll()
    poll.register(fd, select.POLLIN)
    return bool(poll.poll(0))


async def ready(fd: int, *, writing: bool) -> None:
    """Return when a descriptor can be written or read."""
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
