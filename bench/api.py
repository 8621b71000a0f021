# SPDX-License-Identifier: MIT
"""What does the HTTP API cost: latency, memory of the server, bytes through an exec?

    python -m bench.api [MEGABYTES]

Starts a server over a fresh store, with a container of the image `host`. Latencies are medians,
throughput is the best of three, memory is the server's resident set. Rows of the docker command
line are left out where it is not installed.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from bench.network import output, print_line, sandbox

MEGABYTE = 1024 * 1024
EXECS, FOLLOWERS = 200, 300
UPGRADE = "Connection: Upgrade\r\nUpgrade: tcp\r\n"
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Api:
    """A server that runs."""

    socket: str
    pid: int

    def memory(self) -> float:
        """Return its resident set in megabytes."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / MEGABYTE

    async def open(self, method: str, path: str, body: Any = None, more: str = "") -> Streams:
        """Send a request and return once the head of its answer is there."""
        reader, writer = await asyncio.open_unix_connection(self.socket, limit=MEGABYTE)
        data = json.dumps(body or {}).encode()
        head = f"{method} {path} HTTP/1.1\r\nHost: bench\r\n{more}"
        more = f"Content-Type: application/json\r\nContent-Length: {len(data)}\r\n\r\n"
        writer.write((head + more).encode() + data)
        status = await reader.readuntil(b"\r\n\r\n")
        if status.split()[1] not in (b"101", b"200", b"201"):
            raise SystemExit(f"bench.api: {method} {path}: {status.decode()}")
        return reader, writer

    async def get(self, method: str, path: str, body: Any = None) -> Any:
        """Do one request and return the document of its answer."""
        reader, writer = await self.open(method, path, body, "Connection: close\r\n")
        data = await reader.read()
        writer.close()
        return json.loads(data)

    async def start_exec(self, *command: str) -> Streams:
        """Start a process in the container and return its streams."""
        wish = {
            "Cmd": command,
            "AttachStdin": True,
            "AttachStdout": True,
            "AttachStderr": True,
        }
        made = await self.get("POST", "/containers/box/exec", wish)
        return await self.open("POST", f"/exec/{made['Id']}/start", more=UPGRADE)


@contextmanager
def serving(folder: Path) -> Iterator[Api]:
    """Run a server, and a container named box."""
    path = str(folder / "docker.sock")
    process = subprocess.Popen(
        sandbox("serve", "--socket", path), stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        process.stdout.readline()
        output(sandbox("run", "-d", "--name", "box", "host", "sleep", "1000"))
        yield Api(path, process.pid)
    finally:
        output(sandbox("rm", "-f", "box"))
        process.terminate()
        process.wait()


def median_ms(count: int, act: Callable[[], object]) -> float:
    """Return how long it takes, in milliseconds."""
    times = []
    for _ in range(count):
        begun = time.perf_counter()
        act()
        times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1000


def best_rate(megabytes: int, act: Callable[[], object]) -> float:
    """Return megabytes a second."""
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        act()
        times.append(time.perf_counter() - begun)
    return megabytes / min(times)


async def through(api: Api, megabytes: int, *command: str) -> None:
    """Send zeros to a process and read what it says, until both have ended."""
    reader, writer = await api.start_exec(*command)

    async def send() -> None:
        block = bytes(256 * 1024)
        for _ in range(megabytes * 4):
            writer.write(block)
            await writer.drain()
        writer.write_eof()

    async def receive() -> None:
        while await reader.read(MEGABYTE):
            pass

    await asyncio.gather(send(), receive())
    writer.close()


def move(api: Api, megabytes: int, *command: str) -> None:
    """Do `through` to its end."""
    asyncio.run(through(api, megabytes, *command))


async def together(count: int, make: Callable[[], Awaitable[Streams]]) -> list[Streams]:
    """Open so many at once."""
    return list(await asyncio.gather(*(make() for _ in range(count))))


async def crowds(api: Api) -> None:
    """Print the server's memory with many execs, then with many followers of a log."""
    execs = await together(EXECS, lambda: api.start_exec("cat"))
    for _, writer in execs:
        writer.write(b"x")
    for reader, _ in execs:
        await reader.readexactly(9)
    row(f"memory with {EXECS} execs at once", api.memory(), "MB")
    for _, writer in execs:
        writer.close()
    path = "/containers/box/logs?follow=1&stdout=1"
    followers = await together(FOLLOWERS, lambda: api.open("GET", path))
    row(f"memory with {FOLLOWERS} that follow a log", api.memory(), "MB")
    for _, writer in followers:
        writer.close()


def row(title: str, value: float, unit: str, *, limit: float | None = None) -> None:
    """Print one figure; *limit* is the least that it should be."""
    mark = "" if limit is None or value >= limit else f"  missed: {limit:g}"
    print_line(f"{title:<38} {value:8.1f} {unit}{mark}")


def with_docker(api: Api, megabytes: int) -> None:
    """Print the rows of the real docker command line."""
    os.environ |= {"DOCKER_HOST": f"unix://{api.socket}", "DOCKER_BUILDKIT": "0"}
    row("docker ps", median_ms(15, lambda: output(["docker", "ps"])), "ms")
    run = ["docker", "run", "--rm", "host", "true"]
    row("docker run --rm host true", median_ms(9, lambda: output(run)), "ms")
    pipe = f"head -c {megabytes}M /dev/zero | docker exec -i box sh -c 'cat > /dev/null'"
    rate = best_rate(megabytes, lambda: output(["sh", "-c", pipe]))
    row(f"docker exec -i, {megabytes} MB in", rate, "MB/s", limit=300)


def main() -> None:
    """Measure and print."""
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
    with tempfile.TemporaryDirectory(prefix="sandbox-bench-") as name:
        os.environ["SANDBOX_ROOT"] = f"{name}/store"
        with serving(Path(name)) as api:
            row("memory at the start", api.memory(), "MB")
            listing = ("GET", "/containers/json")
            row("list of containers", median_ms(50, lambda: asyncio.run(api.get(*listing))), "ms")
            if shutil.which("docker"):
                with_docker(api, megabytes)
            for title, command in (
                ("in", ("sh", "-c", "cat > /dev/null")),
                ("in and out", ("cat",)),
            ):
                moved = partial(move, api, megabytes, *command)
                row(f"exec, {megabytes} MB {title}", best_rate(megabytes, moved), "MB/s")
            asyncio.run(crowds(api))


if __name__ == "__main__":
    main()
