# SPDX-License-Identifier: MIT
"""Many clients at once, and clients that do not read their answers."""

from __future__ import annotations

import asyncio
import json
import pathlib
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import pytest

from tests.harness import apiserver
from tests.harness.apiserver import Server, frames, joined, read_all
from tests.harness.command import Sandbox
from tests.harness.polling import until

pytestmark = pytest.mark.guest
FEW = 300  # file descriptors, fewer than 200 execs need
_T = TypeVar("_T")
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@pytest.fixture
def poor(sandbox: Sandbox, tmp_path: pathlib.Path) -> Iterator[Server]:
    """A server that is started with a low limit of file descriptors."""
    limited = ("sh", "-c", f'ulimit -Sn {FEW}; exec "$@"', "sh")
    with apiserver.serving(sandbox, tmp_path, wrapper=limited) as server:
        yield server


async def opened(
    api: Server, method: str, path: str, body: bytes = b"", more: str = "Connection: close\r\n"
) -> Streams:
    """Send a request; return when the head of its answer has arrived."""
    streams = await asyncio.open_unix_connection(api.socket)
    streams[1].write(
        f"{method} {path} HTTP/1.1\r\nHost: d\r\n{more}"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n".encode()
        + body
    )
    await streams[0].readuntil(b"\r\n\r\n")
    return streams


def together(count: int, make: Callable[[int], Awaitable[_T]]) -> Awaitable[list[_T]]:
    return asyncio.gather(*(make(number) for number in range(count)))


def running(api: Server, *command: str, **fields: Any) -> None:
    api.create(*command, name="box", **fields)
    api.ok("POST", "/containers/box/start")


def test_two_hundred_execs_run_at_once_and_each_gets_its_own_output(poor: Server) -> None:
    running(poor, "sleep", "1000")
    wish = {"Cmd": ["cat"], "AttachStdin": True, "AttachStdout": True, "AttachStderr": True}
    made = [poor.ok("POST", "/containers/box/exec", wish)["Id"] for _ in range(200)]

    def start(number: int) -> Awaitable[Streams]:
        upgrade = "Connection: Upgrade\r\nUpgrade: tcp\r\n"
        return opened(poor, "POST", f"/exec/{made[number]}/start", b"{}", upgrade)

    def all_run() -> bool:
        return sorted(poor.ok("GET", "/containers/box/json")["ExecIDs"] or []) == sorted(made)

    async def main() -> list[bytes]:
        every = await together(200, start)
        await asyncio.to_thread(until, all_run)

        async def finish(number: int) -> bytes:
            reader, writer = every[number]
            writer.write(b"%d" % number)
            writer.write_eof()
            data = await reader.read()
            writer.close()
            return data

        return await together(200, finish)

    assert [frames(data) for data in asyncio.run(main())] == [
        [(1, b"%d" % number)] for number in range(200)
    ]
    ids = [poor.ok("GET", f"/exec/{one}/json")["ExitCode"] for one in made]
    assert ids == [0] * 200


def test_containers_and_execs_have_the_limits_that_the_server_was_started_with(
    poor: Server,
) -> None:
    running(poor, "sh", "-c", "ulimit -Sn; exec sleep 1000")
    until(lambda: b"\n" in poor.ok("GET", "/containers/box/logs?stdout=1"))
    log = poor.ok("GET", "/containers/box/logs?stdout=1")
    assert joined(log, 1) == b"%d\n" % FEW
    wish = {"Cmd": ["sh", "-c", "ulimit -Sn"], "AttachStdout": True}
    made = poor.ok("POST", "/containers/box/exec", wish)["Id"]
    connection, _, rest = poor.raw(
        f"POST /exec/{made}/start HTTP/1.1\nHost: d\nConnection: Upgrade\nUpgrade: tcp\n"
        "Content-Type: application/json\nContent-Length: 2\n",
        b"{}",
    )
    assert joined(read_all(connection, rest), 1) == b"%d\n" % FEW


def test_clients_that_never_read_do_not_delay_others(api: Server) -> None:
    count, lines = 25, 4000
    script = f"read x; seq -f '%0100.0f' {lines}; read x; echo last >&2"
    running(api, "sh", "-c", script, OpenStdin=True)
    followed = "/containers/box/logs?follow=1&stdout=1&stderr=1"

    async def main() -> tuple[list[bytes], list[bytes], list[bytes]]:
        stuck = [await opened(api, "GET", followed) for _ in range(20)]
        stuck += [await opened(api, "GET", "/events?since=1") for _ in range(20)]
        for reader, _ in stuck:
            reader._transport.pause_reading()  # type: ignore[attr-defined]
        logs = await together(count, lambda _: opened(api, "GET", followed))
        events = await together(count, lambda _: opened(api, "GET", "/events"))
        stats = await together(count, lambda _: opened(api, "GET", "/containers/box/stats"))
        typed = await asyncio.to_thread(
            api.raw,
            "POST /containers/box/attach?stream=1&stdin=1 HTTP/1.1\nHost: d\n"
            "Connection: Upgrade\nUpgrade: tcp\n",
        )
        typed[0].sendall(b"\n\n")
        said = await together(count, lambda number: logs[number][0].read())
        died = await together(count, lambda number: events[number][0].readuntil(b'"die"'))
        used = await together(count, lambda number: stats[number][0].readuntil(b"}\n"))
        for _, writer in (*stuck, *logs, *events, *stats):
            writer.close()
        return said, died, used

    said, died, used = asyncio.run(asyncio.wait_for(main(), 300))
    assert len(said) == len(died) == len(used) == count
    for data in said:
        whole = dechunked(data)
        assert len(joined(whole, 1)) == lines * 101
        assert joined(whole, 2) == b"last\n"
    first = json.loads(used[0][used[0].index(b"{") :])
    assert first["name"] == "/box"
    assert first["networks"] == {}  # traffic is not counted, and zeros would be wrong


def test_three_hundred_followers_of_a_log_and_of_events_get_every_line(api: Server) -> None:
    count, lines = 150, 50
    running(api, "sh", "-c", f"read x; seq {lines}", OpenStdin=True)

    async def main() -> tuple[list[bytes], list[bytes]]:
        logs = await together(
            count, lambda _: opened(api, "GET", "/containers/box/logs?follow=1&stdout=1")
        )
        events = await together(count, lambda _: opened(api, "GET", "/events"))
        connection, _, _ = await asyncio.to_thread(
            api.raw,
            "POST /containers/box/attach?stream=1&stdin=1 HTTP/1.1\nHost: d\n"
            "Connection: Upgrade\nUpgrade: tcp\n",
        )
        connection.sendall(b"\n")
        said = await together(count, lambda number: logs[number][0].read())
        died = await together(count, lambda number: events[number][0].readuntil(b'"die"'))
        for _, writer in (*logs, *events):
            writer.close()
        return said, died

    said, died = asyncio.run(asyncio.wait_for(main(), 300))
    wanted = b"".join(b"%d\n" % number for number in range(1, lines + 1))
    assert [joined(dechunked(data), 1) for data in said] == [wanted] * count
    assert len(died) == count


def dechunked(data: bytes) -> bytes:
    found = bytearray()
    while data:
        size, _, data = data.partition(b"\r\n")
        length = int(size, 16)
        found += data[:length]
        data = data[length + 2 :]
    return bytes(found)


def test_following_a_log_shows_lines_as_they_are_written(api: Server) -> None:
    running(api, "sh", "-c", "while read x; do echo got $x; done", OpenStdin=True)
    connection, _, rest = api.raw("GET /containers/box/logs?follow=1&stdout=1 HTTP/1.1\nHost: d\n")
    typed, _, _ = api.raw(
        "POST /containers/box/attach?stream=1&stdin=1 HTTP/1.1\nHost: d\n"
        "Connection: Upgrade\nUpgrade: tcp\n"
    )
    for number in range(3):
        typed.sendall(b"%d\n" % number)
        while b"got %d\n" % number not in rest:
            piece = connection.recv(1000)
            assert piece, rest
            rest += piece
