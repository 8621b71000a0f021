# SPDX-License-Identifier: MIT
"""Measure the HTTP API beside podman's: latency, the server's memory, throughput of an exec.

    python -m bench.api [MEGABYTES]

Each server has a fresh store with one small image (a static busybox) and a container of it.
Latencies are medians, throughput is the best of three runs, and memory is the resident set of the
server's process. Podman is only measured by root; the program then drops root to measure sandbox.
Rows that need a program that is not installed (docker, podman) are left out.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from bench import podman
from bench.network import output, print_line, sandbox

MEGABYTE = 1024 * 1024
EXECS, FOLLOWERS = 200, 300
UPGRADE = "Connection: Upgrade\r\nUpgrade: tcp\r\n"
IMAGE = "small"
USER = int(os.environ.get("SANDBOX_TEST_UID", "12345"))
Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Figure:
    """One figure of one server; *least* is the smallest good value."""

    title: str
    value: float
    unit: str
    least: float = 0

    def row(self, peer: Figure | None) -> str:
        """Return the line of the report, with another server's figure beside it."""
        missed = f"  missed: {self.least:g}" if self.value < self.least else ""
        other = f" {peer.value:8.1f}" if peer else ""
        return f"{self.title:<38} {self.value:8.1f}{other} {self.unit}{missed}"


@dataclass(frozen=True)
class Api:
    """A running server."""

    socket: str
    pid: int

    def memory(self) -> float:
        """Return its resident set in megabytes."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE") / MEGABYTE

    async def open(self, method: str, path: str, body: Any = None, more: str = "") -> Streams:
        """Send a request and return after the headers of the response were read."""
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
        """Send a request and return the JSON document of the response."""
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
def with_box(api: Api, client: list[str], tree: Path) -> Iterator[Api]:
    """Load the image into a server and run a container named box.

    The container prints a line, since podman answers a log follower only after the first line.
    """
    output([*client, "import", str(tree), IMAGE])
    command = ["sh", "-c", "echo begun; exec sleep 1000"]
    output([*client, "run", "-d", "--name", "box", IMAGE, *command])
    try:
        yield api
    finally:
        output([*client, "rm", "-f", "box"])


@contextmanager
def serving(folder: Path) -> Iterator[Api]:
    """Run sandbox's server."""
    path = str(folder / "docker.sock")
    os.environ["SANDBOX_ROOT"] = f"{folder}/store"
    command = sandbox("serve", "--socket", path)
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    try:
        process.stdout.readline()
        with with_box(Api(path, process.pid), sandbox(), small_image(folder)) as api:
            yield api
    finally:
        process.terminate()
        process.wait()


@contextmanager
def serving_podman(folder: Path) -> Iterator[Api]:
    """Run podman's server."""
    path = str(folder / "podman.sock")
    with (
        podman.server(folder, path) as pid,
        with_box(Api(path, pid), podman.client(path), small_image(folder)) as api,
    ):
        yield api


def small_image(folder: Path) -> Path:
    """Return an archive that only contains busybox."""
    busybox = shutil.which("busybox")
    if busybox is None:
        raise SystemExit("bench.api: busybox is not installed (package busybox-static)")
    path = folder / "image.tar"
    with tarfile.open(path, "w") as archive:
        archive.add(busybox, "bin/busybox", filter=_plain)
        for name in ("sh", "cat", "sleep", "true"):
            link = tarfile.TarInfo(f"bin/{name}")
            link.type, link.linkname = tarfile.SYMTYPE, "busybox"
            archive.addfile(link)
    return path


def _plain(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.mode = 0o755
    return info


def median_ms(count: int, act: Callable[[], object]) -> float:
    """Return the median time of *act* in milliseconds."""
    times = []
    for _ in range(count):
        begun = time.perf_counter()
        act()
        times.append(time.perf_counter() - begun)
    return statistics.median(times) * 1000


def best_rate(megabytes: int, act: Callable[[], object]) -> float:
    """Return the best throughput of *act* in megabytes a second."""
    times = []
    for _ in range(3):
        begun = time.perf_counter()
        act()
        times.append(time.perf_counter() - begun)
    return megabytes / min(times)


async def through(api: Api, megabytes: int, *command: str) -> None:
    """Send zeros to a process and read its output until both directions have ended."""
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
    """Run `through` in a new event loop."""
    asyncio.run(through(api, megabytes, *command))


async def together(count: int, make: Callable[[], Awaitable[Streams]]) -> list[Streams]:
    """Open *count* streams at once."""
    return list(await asyncio.gather(*(make() for _ in range(count))))


async def memory_figures(api: Api) -> Iterator[Figure]:
    """Return the server's memory with many execs, and with many followers of a log."""
    execs = await together(EXECS, lambda: api.start_exec("cat"))
    for _, writer in execs:
        writer.write(b"x")
    for reader, _ in execs:
        await reader.readexactly(9)
    first = Figure(f"memory with {EXECS} execs at once", api.memory(), "MB")
    for _, writer in execs:
        writer.close()
    path = "/containers/box/logs?follow=1&stdout=1"
    followers = await together(FOLLOWERS, lambda: api.open("GET", path))
    second = Figure(f"memory with {FOLLOWERS} that follow a log", api.memory(), "MB")
    for _, writer in followers:
        writer.close()
    return iter((first, second))


def with_docker(api: Api, megabytes: int) -> Iterator[Figure]:
    """Yield the figures of docker's command line."""
    os.environ |= {"DOCKER_HOST": f"unix://{api.socket}", "DOCKER_BUILDKIT": "0"}
    yield Figure("docker ps", median_ms(15, lambda: output(["docker", "ps"])), "ms")
    run = ["docker", "run", "--rm", IMAGE, "true"]
    yield Figure("docker run --rm true", median_ms(9, lambda: output(run)), "ms")
    pipe = f"head -c {megabytes}M /dev/zero | docker exec -i box sh -c 'cat > /dev/null'"
    rate = best_rate(megabytes, lambda: output(["sh", "-c", pipe]))
    yield Figure(f"docker exec -i, {megabytes} MB in", rate, "MB/s", least=300)


def measure(api: Api, megabytes: int) -> Iterator[Figure]:
    """Yield every figure of one server."""
    yield Figure("memory at the start", api.memory(), "MB")
    listing = ("GET", "/containers/json")
    took = median_ms(50, lambda: asyncio.run(api.get(*listing)))
    yield Figure("list of containers", took, "ms")
    if shutil.which("docker"):
        yield from with_docker(api, megabytes)
    ways = (("in", ("sh", "-c", "cat > /dev/null")), ("in and out", ("cat",)))
    for title, command in ways:
        rate = best_rate(megabytes, partial(move, api, megabytes, *command))
        yield Figure(f"exec, {megabytes} MB {title}", rate, "MB/s")
    yield from asyncio.run(memory_figures(api))


def measure_podman(megabytes: int) -> dict[str, Figure]:
    """Return podman's figures, or print why there are none."""
    if reason := podman.why_not():
        print_line(f"without podman's column: {reason}")
        return {}
    print_line(f"podman {podman.version()}, as root; sandbox as uid {USER}")
    with (
        TemporaryDirectory(prefix="sandbox-bench-", ignore_cleanup_errors=True) as name,
        serving_podman(Path(name)) as api,
    ):
        return {figure.title: figure for figure in measure(api, megabytes)}


def drop_root(folder: Path) -> None:
    """Change from root to a user without privileges whose home is *folder*."""
    if os.geteuid() == 0:
        os.chown(folder, USER, USER)
        os.setgroups([])
        os.setgid(USER)
        os.setuid(USER)
        os.environ |= {"HOME": str(folder)}


def main() -> None:
    """Print the figures of both servers."""
    megabytes = int(sys.argv[1]) if len(sys.argv) > 1 else 1024
    beside = measure_podman(megabytes)
    print_line(f"{'':<38} {'sandbox':>8} {'podman' if beside else '':>8}".rstrip())
    with TemporaryDirectory(prefix="sandbox-bench-") as name:
        drop_root(Path(name))
        with serving(Path(name)) as api:
            for figure in measure(api, megabytes):
                print_line(figure.row(beside.get(figure.title)))


if __name__ == "__main__":
    main()
