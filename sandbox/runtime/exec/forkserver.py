# SPDX-License-Identifier: MIT
"""The fork server: starts exec processes for the API server, which has threads.

How it works: a process with one thread may fork safely. The server executes this module with
one end of a socket on standard input. A request is a line of JSON with the descriptors of
the new process. The answers report that it runs, or why not, and later how it ended.

Rules: the fork server ends with the API server. Its children end with it, unless the request
detaches them.

Does not know: what clients want, or anything of containers but where they lie.
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any

from sandbox.errors import SandboxError
from sandbox.runtime import lifecycle
from sandbox.runtime.exec import exec_process
from sandbox.runtime.exec.exec_process import ExecRequest
from sandbox.runtime.process import descriptor_limit
from sandbox.runtime.process.start import Streams
from sandbox.runtime.terminal import drain
from sandbox.store.containers import ContainerStore
from sandbox.store.layout import Layout

_LONGEST = 1024 * 1024
_MOST_FDS = 3


def spawn() -> socket.socket:
    """Start the fork server and return the socket for requests."""
    import subprocess

    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    for end in (ours, theirs):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 2 * _LONGEST)
    with theirs:
        helper = subprocess.Popen(
            [sys.executable, "-SsP", "-m", "sandbox.runtime.exec.forkserver"],
            stdin=theirs.fileno(),
            stdout=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))},
            start_new_session=True,
        )
    descriptor_limit.give_back(helper.pid)  # it waits for requests
    return ours


class Forker:
    """Start the requested processes and report how they end."""

    def __init__(self, connection: socket.socket) -> None:
        """Serve the other side of *connection*."""
        self._connection = connection
        self._ends: dict[int, int] = {}  # pid -> wait status, -1 while it runs
        self._names: dict[int, str] = {}

    def live(self) -> None:
        """Serve until the other side is gone."""
        reader, writer = os.pipe2(os.O_NONBLOCK | os.O_CLOEXEC)
        signal.set_wakeup_fd(writer, warn_on_full_buffer=False)
        signal.signal(signal.SIGCHLD, lambda *_: None)
        with selectors.DefaultSelector() as selector:
            selector.register(self._connection, selectors.EVENT_READ)
            selector.register(reader, selectors.EVENT_READ)
            while True:
                for key, _ in selector.select():
                    if key.fd == reader:
                        drain(reader)
                    elif not self._serve():
                        return
                self._tell_ends()

    def _serve(self) -> bool:
        try:
            data, fds, _, _ = socket.recv_fds(self._connection, _LONGEST, _MOST_FDS)
        except OSError:
            return False
        if not data:
            return False
        for fd in fds:
            os.set_inheritable(fd, False)
        message = json.loads(data)
        try:
            pid = self._start(message, fds)
        except SandboxError as exc:
            self._fail(message, exc.message, exc.exit_code)
        except OSError as exc:
            self._fail(message, f"cannot start the process: {exc}", 125)
        else:
            self._say({"id": message["id"], "pid": pid})
        for fd in fds:
            with suppress(OSError):
                os.close(fd)
        return True

    def _fail(self, message: dict[str, Any], text: str, code: int) -> None:
        self._say({"id": message["id"], "error": text, "code": code})

    def _start(self, message: dict[str, Any], fds: list[int]) -> int:
        store = ContainerStore(Layout(Path(message["root"])))
        config = store.read(message["container"]).config
        fields = {**message["request"]}
        fields["args"], fields["env"] = tuple(fields["args"]), tuple(fields["env"])
        request = ExecRequest(**fields)
        process = exec_process.prepared(config, message["runDir"], request)
        process.main.others = self._ends
        # `start` closes the descriptors that it gets.
        own = [os.dup(fd) for fd in fds]
        if request.tty:
            streams = Streams(terminal=own[0], free=message["free"])
        else:
            stdin, stdout, stderr = own
            streams = Streams(stdin=stdin, stdout=stdout, stderr=stderr, free=message["free"])
        process.start(streams, lambda _: exec_process.check_present(message["runDir"]))
        pid = process.main.pid
        self._names[pid] = message["id"]
        self._ends.setdefault(pid, -1)
        return pid

    def _tell_ends(self) -> None:
        with suppress(ChildProcessError):
            while True:
                pid, status = os.waitpid(-1, os.WNOHANG)
                if not pid:
                    break
                if pid in self._ends:
                    self._ends[pid] = status
        for pid, status in list(self._ends.items()):
            if status != -1:
                del self._ends[pid]
                code = lifecycle.exit_code_of(status)
                self._say({"id": self._names.pop(pid, ""), "exit": code})

    def _say(self, message: dict[str, Any]) -> None:
        with suppress(OSError):
            self._connection.send(json.dumps(message).encode())


def main() -> None:
    """Serve the socket on standard input."""
    connection = socket.socket(fileno=os.dup(0))
    connection.set_inheritable(False)
    null = os.open("/dev/null", os.O_RDWR)
    os.dup2(null, 0)
    os.close(null)
    os.chdir("/")
    for number in (signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGPIPE, signal.SIGTERM):
        signal.signal(number, signal.SIG_IGN)
    Forker(connection).live()


if __name__ == "__main__":
    main()
