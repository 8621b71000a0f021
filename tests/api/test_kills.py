# SPDX-License-Identifier: MIT
"""kill -9 of the server during any request leaves a sound store and no remains."""

from __future__ import annotations

import contextlib
import io
import os
import pathlib
import random
import signal
import tarfile
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest

from tests.api.conftest import import_rootfs, private_sandbox
from tests.harness import apiserver, registry
from tests.harness.apiserver import Server
from tests.harness.polling import until

pytestmark = pytest.mark.guest
FRESH = 10  # seconds; temporary files are not removed before that age
STUBBORN = ("sh", "-c", "trap '' TERM; echo ready; while :; do sleep 1000 & wait; done")


@dataclass
class Stage:
    """A server and what requests need; *chance* decides when the server is killed."""

    api: Server
    rootfs: pathlib.Path
    registry: registry.Server
    chance: random.Random = field(default_factory=lambda: random.Random(8))
    asking: list[threading.Thread] = field(default_factory=list)

    def container(self, *command: str, start: bool = True) -> None:
        self.api.create(*(command or ("sleep", "1000")), name="box", Image="box")
        if start:
            self.api.ok("POST", "/containers/box/start")

    def half(self, method: str, path: str, body: bytes) -> None:
        """Send half of a request, and wait until the server has stored a part of it."""
        connection = self.api.connect()
        head = (
            f"{method} {path} HTTP/1.1\r\nHost: d\r\nContent-Type: application/x-tar\r\n"
            f"Content-Length: {len(body)}\r\n\r\n"
        )
        connection.sendall(head.encode() + body[: len(body) // 2])
        until(lambda: self.working())

    def begun(self, method: str, path: str, body: bytes = b"", has: bytes = b"") -> None:
        """Send a request; return when its answer has begun and contains *has*."""
        connection = self.api.connect()
        head = f"{method} {path} HTTP/1.1\r\nHost: d\r\nContent-Type: application/json\r\n"
        connection.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        said = b""
        while b"\r\n\r\n" not in said or has not in said:
            piece = connection.recv(1000)
            assert piece, said
            said += piece
        assert b" 200 " in said.split(b"\r\n")[0], said

    def soon(self, method: str, path: str, body: object = None) -> None:
        """Send a request; return at a random time before, during or after it."""

        def act() -> None:
            with contextlib.suppress(Exception):  # fails, since the server is killed
                self.api.call(method, path, body, timeout=20)

        thread = threading.Thread(target=act, daemon=True)
        self.asking.append(thread)
        thread.start()
        time.sleep(self.chance.random() * 0.04)

    def kill(self) -> None:
        """Kill the server, wait for the threads that sent requests, close all connections."""
        self.api.stop(signal.SIGKILL)
        for thread in self.asking:
            thread.join()
        self.asking.clear()
        for connection in self.api.opened:
            connection.close()
        self.api.opened.clear()

    def working(self) -> list[str]:
        """Return the entries of the store's tmp/."""
        place = self.api.sandbox.store / "tmp"
        return os.listdir(place) if place.exists() else []

    def processes(self) -> list[str]:
        """Return the processes of this store, except the server."""
        return [
            f"{pid} {text}"
            for pid, text in commands(f"SANDBOX_ROOT={self.api.sandbox.store}")
            if pid != self.api.process.pid
        ]


def commands(mark: str) -> Iterator[tuple[int, str]]:
    """Yield pid and command line of processes whose environment contains *mark*."""
    for name in filter(str.isdecimal, os.listdir("/proc")):
        place = pathlib.Path("/proc", name)
        with contextlib.suppress(OSError):
            if int(name) != os.getpid() and mark.encode() in (
                (place / "environ").read_bytes().split(b"\0")
            ):
                yield int(name), (place / "cmdline").read_text().replace("\0", " ")


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory, rootfs: pathlib.Path) -> Iterator[Stage]:
    folder = tmp_path_factory.mktemp("kills")
    sandbox = private_sandbox(folder)
    sandbox.environ["SANDBOX_OFFLINE"] = "0"
    with (
        registry.running(folder / "registry") as images,
        apiserver.serving(sandbox, folder) as server,
    ):
        import_rootfs(server, rootfs)
        name = f"{images.host}/box"
        server.ok("POST", f"/images/box/tag?repo={name}&tag=1")
        server.ok("POST", f"/images/{name}/push?tag=1")
        server.ok("DELETE", f"/images/{name}:1")
        yield Stage(server, rootfs, images)


def archive(**files: bytes) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode="w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return file.getvalue()


LARGE = archive(large=bytes(3_000_000))
SLEEPS = archive(Dockerfile=b"FROM box\nRUN echo begun && sleep 1000\n")


def building(on: Stage) -> None:
    connection = on.api.connect()
    connection.sendall(
        b"POST /build?t=built HTTP/1.1\r\nHost: d\r\nContent-Type: application/x-tar\r\n"
        b"Content-Length: %d\r\n\r\n%s" % (len(SLEEPS), SLEEPS)
    )
    said = b""
    while b"begun\\n" not in said:
        piece = connection.recv(1000)
        assert piece, said
        said += piece


def pushing(on: Stage) -> None:
    name = f"{on.registry.host}/pushed{on.chance.randrange(10**9)}"
    on.api.ok("POST", f"/images/box/tag?repo={name}&tag=1")
    on.soon("POST", f"/images/{name}/push?tag=1")


def executing(on: Stage) -> None:
    on.container()
    wish = {"Cmd": ["sh", "-c", "echo ready; sleep 999"], "AttachStdout": True}
    made = on.api.ok("POST", "/containers/box/exec", wish)["Id"]
    on.begun("POST", f"/exec/{made}/start", b"{}", has=b"ready")


def restarting(on: Stage) -> None:
    on.container(*STUBBORN)
    on.soon("POST", "/containers/box/restart?t=0")


def connecting(on: Stage) -> None:
    on.container()
    on.api.ok("POST", "/networks/create", {"Name": "net"})
    on.soon("POST", "/networks/net/connect", {"Container": "box"})


def pruning(on: Stage) -> None:
    on.container("true", start=False)
    on.api.ok("POST", "/images/box/tag?repo=spare")
    for number in range(5):
        on.api.ok("POST", "/volumes/create", {"Name": f"v{number}"})
        on.soon("POST", "/containers/prune")
    on.soon("POST", '/volumes/prune?filters={"all":["true"]}')
    on.soon("POST", '/images/prune?filters={"dangling":["false"]}')
    on.api.call("POST", "/networks/prune")


def loading(on: Stage) -> None:
    saved = on.api.ok("GET", "/images/box/get")
    on.half("POST", "/images/load", saved)


def made_then(method: str, path: str, body: object = None) -> Callable[[Stage], None]:
    def act(on: Stage) -> None:
        on.container()
        on.soon(method, path, body)

    return act


def volume_removed(on: Stage) -> None:
    on.api.ok("POST", "/volumes/create", {"Name": "data"})
    on.soon("DELETE", "/volumes/data")


def put(on: Stage) -> None:
    on.container()
    on.half("PUT", "/containers/box/archive?path=/tmp", LARGE)


def exporting(on: Stage) -> None:
    on.container()
    on.begun("GET", "/containers/box/export")


def waiting(on: Stage) -> None:
    on.container()
    on.begun("POST", "/containers/box/wait")


VERBS: dict[str, Callable[[Stage], None]] = {
    "build": building,
    "pull": lambda on: on.soon("POST", f"/images/create?fromImage={on.registry.host}/box&tag=1"),
    "pull that has begun": lambda on: on.begun(
        "POST", f"/images/create?fromImage={on.registry.host}/box&tag=1", has=b"status"
    ),
    "push": pushing,
    "commit": made_then("POST", "/commit?container=box&repo=kept"),
    "exec": executing,
    "load": loading,
    "import": lambda on: on.half("POST", "/images/create?fromSrc=-&repo=new", LARGE),
    "save": lambda on: on.begun("GET", "/images/box/get"),
    "export": exporting,
    "cp": put,
    "network create": lambda on: on.soon("POST", "/networks/create", {"Name": "net"}),
    "network connect": connecting,
    "volume create": lambda on: on.soon("POST", "/volumes/create", {"Name": "data"}),
    "volume rm": volume_removed,
    "prune": pruning,
    "rename": made_then("POST", "/containers/box/rename?name=other"),
    "update": made_then("POST", "/containers/box/update", {"Memory": 10**9}),
    "wait": waiting,
    "restart": restarting,
    "pause": made_then("POST", "/containers/box/pause"),
    "stop": made_then("POST", "/containers/box/stop?t=0"),
    "kill": made_then("POST", "/containers/box/kill"),
    "rm": made_then("DELETE", "/containers/box?force=1&v=1"),
}

# These are certainly in progress when the server is killed, so one run is enough.
STEADY = "build", "exec", "load", "import", "save", "export", "cp", "wait"


@pytest.mark.parametrize("verb", VERBS)
def test_a_killed_server_leaves_a_sound_store(stage: Stage, verb: str) -> None:
    api = stage.api
    for _ in range(1 if verb in STEADY else 2):
        VERBS[verb](stage)
        stage.kill()
        api.start()
        for item in api.ok("GET", "/containers/json?all=1"):
            if api.settled_state(item["Id"])["Paused"]:
                api.ok("POST", f"/containers/{item['Id']}/unpause")
        *notes, verdict = api.sandbox.ok("system", "fsck").splitlines()
        assert verdict == "the store is whole"
        assert all(text.startswith("note: ") for text in notes), notes
        if verb == "exec":
            until(lambda: not any("sleep 999" in text for text in stage.processes()))
        clear(stage)


def clear(stage: Stage) -> None:
    """Remove everything but the image `box`; nothing may fail, no remains may be found."""
    api = stage.api
    api.remove_all()
    for item in api.ok("GET", "/images/json"):
        for name in item["RepoTags"] or [item["Id"]]:
            if name != "box:latest":
                api.ok("DELETE", f"/images/{name}?force=1")
    for item in api.ok("GET", "/networks"):
        if item["Name"] not in ("bridge", "host", "none"):
            api.ok("DELETE", f"/networks/{item['Name']}")
    for item in api.ok("GET", "/volumes")["Volumes"] or []:
        api.ok("DELETE", f"/volumes/{item['Name']}")
    assert api.ok("GET", "/containers/json?all=1") == []
    until(lambda: not stage.processes())
    begun = time.time()
    api.ok("POST", "/build/prune")
    assert [name for name in stage.working() if not fresh_file(stage, name, begun)] == []
    said = api.sandbox.ok("system", "fsck")
    assert "left behind by a killed process" not in said
    assert "uses" not in said
    if api.call("GET", "/images/box/json")[0] == 404:  # a prune removed it
        import_rootfs(api, stage.rootfs)


def fresh_file(stage: Stage, name: str, now: float) -> bool:
    """Return whether this was, at *now*, a file that its writer could still rename into place."""
    path = stage.api.sandbox.store / "tmp" / name
    return path.is_file() and now - path.stat().st_mtime < FRESH
