# SPDX-License-Identifier: MIT
"""A running `sandbox serve`, and clients of it."""

from __future__ import annotations

import contextlib
import http.client
import json
import os
import pathlib
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from tests.harness.command import Sandbox
from tests.harness.polling import until

if TYPE_CHECKING:
    from collections.abc import Iterator


LONGEST = 100  # bytes of a socket's path; the kernel takes 107


class _Http(http.client.HTTPConnection):
    def __init__(self, path: str, timeout: float) -> None:
        super().__init__("localhost", timeout=timeout)
        self._path = path

    def connect(self) -> None:
        self.sock = socket.socket(socket.AF_UNIX)
        self.sock.settimeout(self.timeout)
        self.sock.connect(self._path)


@dataclass
class Server:
    """A running server."""

    sandbox: Sandbox
    socket: str
    log: pathlib.Path
    wrapper: tuple[str, ...] = ()
    process: subprocess.Popen[bytes] = field(repr=False, default=None)  # type: ignore[assignment]
    opened: list[socket.socket] = field(repr=False, default_factory=list)

    @property
    def url(self) -> str:
        """The address, as Docker clients write it."""
        return f"unix://{self.socket}"

    def start(self, *flags: str) -> None:
        """Start the server and wait until it answers. Unused for ten minutes, it ends by itself."""
        self.launch(*flags)
        try:
            until(self.answers)
        except BaseException:
            self.stop(signal.SIGKILL)
            raise

    def launch(self, *flags: str) -> None:
        """Start the server, without waiting until it listens."""
        if "--idle-exit" not in flags:
            flags += ("--idle-exit", "10m")
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [*self.wrapper, *self.sandbox.argv("serve", "--socket", self.socket, *flags)],
                env=self.sandbox.environment(),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )

    def answers(self) -> bool:
        """Tell whether the server accepts connections; fail if it has ended."""
        assert self.process.poll() is None, self.log.read_text()
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as probe:
            probe.connect(self.socket)
            return True
        return False

    def stop(self, number: int = signal.SIGTERM) -> int:
        """End the server and return its exit code."""
        if self.process.poll() is None:
            self.process.send_signal(number)
        return self.process.wait(timeout=100)

    def connect(self, timeout: float = 200) -> socket.socket:
        """Return a raw connection."""
        connection = socket.socket(socket.AF_UNIX)
        connection.settimeout(timeout)
        self.opened.append(connection)
        connection.connect(self.socket)
        return connection

    def call(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        timeout: float = 200,
    ) -> tuple[int, Any]:
        """Make one request; return the status and the body, decoded if it is JSON."""
        status, _, data = self.exchange(method, path, body, headers=headers, timeout=timeout)
        return status, data

    def exchange(
        self,
        method: str,
        path: str,
        body: Any = None,
        *,
        headers: dict[str, str] | None = None,
        timeout: float = 200,
    ) -> tuple[int, http.client.HTTPMessage, Any]:
        """Make one request; return status, headers and body."""
        client = _Http(self.socket, timeout)
        sent = dict(headers or {})
        data = body
        if body is not None and not isinstance(body, bytes):
            data = json.dumps(body)
            sent.setdefault("Content-Type", "application/json")
        try:
            client.request(method, path, data, sent)
            answer = client.getresponse()
            content: Any = answer.read()
            if answer.headers.get_content_type() == "application/json" and content.strip():
                with contextlib.suppress(ValueError):
                    content = json.loads(content)
            return answer.status, answer.headers, content
        finally:
            client.close()

    def ok(self, method: str, path: str, body: Any = None, **more: Any) -> Any:
        """Make one request, which must succeed, and return the body."""
        status, content = self.call(method, path, body, **more)
        assert status < 400, (status, content)
        return content

    def create(self, *command: str, name: str = "", **fields: Any) -> str:
        """Create a container of the image `host` and return its id."""
        body = {"Image": "host", "Cmd": list(command), **fields}
        made = self.ok("POST", f"/containers/create?name={name}", body)
        return str(made["Id"])

    def settled_state(self, identity: str) -> dict[str, Any]:
        """Return a container's state when the state agrees with the processes of the machine.

        The main process may have ended before the supervisor notes its end.
        """

        def look() -> dict[str, Any] | None:
            state: dict[str, Any] = self.ok("GET", f"/containers/{identity}/json")["State"]
            is_there = bool(state["Pid"]) and os.path.exists(f"/proc/{state['Pid']}")
            return state if is_there == state["Running"] else None

        found = until(look)
        assert found is not None
        return found

    def remove_all(self) -> None:
        """Close all connections and remove all containers."""
        for connection in self.opened:
            connection.close()
        self.opened.clear()
        for item in self.ok("GET", "/containers/json?all=1"):
            self.call("DELETE", f"/containers/{item['Id']}?force=1&v=1")

    def raw(self, head: str, body: bytes = b"") -> tuple[socket.socket, bytes, bytes]:
        """Send a request that hijacks the connection.

        Return the connection, the head of the answer, and the bytes behind the head.
        """
        connection = self.connect()
        connection.sendall(head.replace("\n", "\r\n").encode() + b"\r\n" + body)
        received = b""
        while b"\r\n\r\n" not in received:
            piece = connection.recv(65536)
            assert piece, received
            received += piece
        answer, _, rest = received.partition(b"\r\n\r\n")
        return connection, answer, rest


def read_all(connection: socket.socket, begun: bytes = b"") -> bytes:
    """Read until the other side ends; return everything, *begun* first."""
    received = bytearray(begun)
    while piece := connection.recv(65536):
        received += piece
    return bytes(received)


def frames(data: bytes) -> list[tuple[int, bytes]]:
    """Split a stream into Docker's frames; fail on anything else."""
    found = []
    while data:
        stream, length = struct.unpack(">BxxxI", data[:8])
        assert data[1:4] == b"\0\0\0"
        assert len(data) >= 8 + length, data
        found.append((stream, data[8 : 8 + length]))
        data = data[8 + length :]
    return found


def joined(data: bytes, stream: int) -> bytes:
    """Return the joined content of one stream's frames."""
    return b"".join(content for number, content in frames(data) if number == stream)


@contextlib.contextmanager
def serving(
    sandbox: Sandbox, folder: pathlib.Path, *flags: str, wrapper: tuple[str, ...] = ()
) -> Iterator[Server]:
    """Run a server until the block ends, and remove its containers.

    *wrapper* is a command that executes its arguments.
    """
    runtime = folder / "run"
    runtime.mkdir(mode=0o700, exist_ok=True)
    sandbox.environ["XDG_RUNTIME_DIR"] = str(runtime)
    with contextlib.ExitStack() as stack:
        path = str(folder / "docker.sock")
        if len(path) > LONGEST:
            short = stack.enter_context(tempfile.TemporaryDirectory(dir="/tmp"))
            path = f"{short}/docker.sock"
        yield from _serving(Server(sandbox, path, folder / "serve.log", wrapper), flags)


def _serving(server: Server, flags: tuple[str, ...]) -> Iterator[Server]:
    sandbox = server.sandbox
    server.start(*flags)
    try:
        yield server
    finally:
        for connection in server.opened:
            connection.close()
        server.stop()
        ids = sandbox.ok("ps", "-aq").split()
        if ids:
            sandbox.ok("rm", "-f", *ids)
        assert "Traceback" not in server.log.read_text()


@dataclass(frozen=True)
class Docker:
    """The real docker command line, on a server of ours."""

    server: Server
    config: pathlib.Path
    program: str

    def environment(self) -> dict[str, str]:
        """Return the environment of the command."""
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.config),
            "DOCKER_CONFIG": str(self.config),
            "DOCKER_HOST": self.server.url,
            "DOCKER_BUILDKIT": "0",
            "DOCKER_CLI_HINTS": "false",
            "TERM": "xterm",
            "LANG": "C.UTF-8",
        }

    def call(
        self, *arguments: str, stdin: bytes | None = None, timeout: float = 200
    ) -> subprocess.CompletedProcess[bytes]:
        """Run a command and return the result, whatever it is."""
        source: dict[str, Any] = (
            {"stdin": subprocess.DEVNULL} if stdin is None else {"input": stdin}
        )
        return subprocess.run(
            [self.program, *arguments],
            env=self.environment(),
            capture_output=True,
            timeout=timeout,
            check=False,
            **source,
        )

    def ok(self, *arguments: str, stdin: bytes | None = None, code: int = 0) -> str:
        """Run a command, which must exit with *code*, and return its standard output."""
        done = self.call(*arguments, stdin=stdin)
        assert done.returncode == code, (
            f"exit {done.returncode}, not {code}: docker {' '.join(arguments)}\n"
            f"{done.stdout.decode(errors='replace')}{done.stderr.decode(errors='replace')}"
        )
        return done.stdout.decode("utf-8", "surrogateescape")


def docker_on(server: Server, folder: pathlib.Path) -> Docker:
    """Return the docker command line, or skip the test where there is none."""
    program = shutil.which("docker")
    if program is None:
        pytest.skip("the docker command line is not installed")
    config = folder / "docker-config"
    config.mkdir(exist_ok=True)
    return Docker(server, config, program)
