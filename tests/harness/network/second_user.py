# SPDX-License-Identifier: MIT
"""Another unprivileged user of this machine, for tests of what one user can do to another.

Rules: only the standard library: root starts it before there is a virtual environment.

How it works: only root can make one. Where root starts the tests, a helper is started before root
is dropped; it becomes a second throwaway user, and executes the programs that the test's user
sends over a unix socket. The socket is the program's standard input and output. The helper ends
with the process that started it.
"""

from __future__ import annotations

import contextlib
import ctypes
import json
import os
import pathlib
import socket
import struct
import sys
import tempfile
from collections.abc import Iterator

VARIABLE = "SANDBOX_TEST_SECOND_USER"
_PR_SET_NO_NEW_PRIVS = 38
_PATIENCE = 0.5  # seconds between two looks at the process that started the helper


# ---- the helper, started by root -----------------------------------------------------------------


def start(first: int) -> str:
    """Start the helper for the user *first*; return the path of its socket, or nothing."""
    folder = pathlib.Path(tempfile.gettempdir()) / f"sandbox-test-{first + 1}"
    with contextlib.suppress(FileExistsError):
        folder.mkdir(mode=0o755)
        os.chown(folder, first + 1, first + 1)
    if folder.is_symlink() or folder.stat().st_uid != first + 1:
        raise SystemExit(f"{folder} is not a folder of user {first + 1}: remove it")
    for left in folder.iterdir():
        if not pathlib.Path("/proc", left.name).exists():
            left.unlink()
    path = str(folder / str(os.getpid()))
    reader, writer = os.pipe()
    parent = os.getpid()
    if os.fork() == 0:
        os.close(reader)
        _serve(path, first, writer, parent)
    os.close(writer)
    with os.fdopen(reader, "rb") as answer:
        return path if answer.read() == b"ready" else ""


def _serve(path: str, first: int, ready: int, parent: int) -> None:
    try:
        null = os.open("/dev/null", os.O_RDWR)
        for number in (0, 1, 2):
            os.dup2(null, number)
        os.setgroups([])
        os.setresgid(first + 1, first + 1, first + 1)
        os.setresuid(first + 1, first + 1, first + 1)
        ctypes.CDLL(None).prctl(_PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
        os.chdir("/")
        with socket.socket(socket.AF_UNIX) as listener:
            listener.bind(path)
            os.chmod(path, 0o666)  # the peer's uid is checked
            listener.listen()
            os.write(ready, b"ready")
            os.close(ready)
            listener.settimeout(_PATIENCE)
            while os.getppid() == parent:
                with contextlib.suppress(TimeoutError):
                    _execute(listener.accept()[0], first)
    finally:
        os._exit(1)


def _execute(connection: socket.socket, first: int) -> None:
    with connection:
        packed = connection.getsockopt(socket.SOL_SOCKET, socket.SO_PEERCRED, 12)
        if struct.unpack("3i", packed)[1] != first or os.fork() != 0:
            with contextlib.suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
            return
        connection.settimeout(None)
        line = b""
        while not line.endswith(b"\n"):
            line += connection.recv(1) or b"\n"
        for number in (0, 1, 2):
            os.dup2(connection.fileno(), number)
        command = json.loads(line)
        os.execve(command[0], command, {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"})


# ---- the tests' side -----------------------------------------------------------------------------


class SecondUser:
    """Runs programs as the second user."""

    def __init__(self, path: str) -> None:
        self._path = path
        self.uid = pathlib.Path(path).stat().st_uid

    @contextlib.contextmanager
    def running(self, *command: str) -> Iterator[socket.socket]:
        """Start a program; give its standard input and output, which end with the block."""
        with socket.socket(socket.AF_UNIX) as connection:
            connection.settimeout(100)
            connection.connect(self._path)
            connection.sendall(json.dumps(command).encode() + b"\n")
            yield connection

    def run(self, *command: str) -> str:
        """Run a program to its end and return its output."""
        with self.running(*command) as connection:
            connection.shutdown(socket.SHUT_WR)
            output = b""
            while piece := connection.recv(65536):
                output += piece
            return output.decode()

    def python(self, text: str, *arguments: str) -> str:
        """Run Python of the machine, to its end."""
        return self.run(_python(), "-c", text, *arguments)

    @contextlib.contextmanager
    def python_running(self, text: str, *arguments: str) -> Iterator[str]:
        """Run Python that prints one line when it is ready, and waits for its input's end."""
        with self.running(_python(), "-c", text, *arguments) as connection:
            line = b""
            while not line.endswith(b"\n"):
                piece = connection.recv(1)
                assert piece, line
                line += piece
            yield line.decode().strip()
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass


def _python() -> str:
    """Return a Python that every user may execute."""
    return next(path for path in ("/usr/bin/python3", sys.executable) if os.path.exists(path))


if __name__ == "__main__":  # second_user.py UID COMMAND...: start the helper, execute the command
    os.execvpe(sys.argv[2], sys.argv[2:], {**os.environ, VARIABLE: start(int(sys.argv[1]))})
