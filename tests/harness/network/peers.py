# SPDX-License-Identifier: MIT
"""Small servers and clients, and ports for them.

Does not know: containers. A `Box` of `netbox` runs these programs.
"""

from __future__ import annotations

import contextlib
import itertools
import os
import socket
import subprocess

PYTHON = "/usr/bin/python3"
ACCEPT = """
import socket, sys
s = socket.create_server(('{0}', {1}))
print(s.getsockname(), flush=True)
c, peer = s.accept()
print(peer[0], c.getsockname(), c.getpeername()[0], flush=True)
c.sendall(b'hello')
"""
ASK = """
import socket
import subprocess
c = socket.create_connection(('{0}', {1}), 100)
print(c.recv(5).decode(), c.getpeername(), c.getsockname()[0])
"""
UDP_ECHO = """
import socket
import subprocess
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.bind(('{0}', {1}))
print(s.getsockname(), flush=True)
for _ in range({2}):
    data, peer = s.recvfrom(100)
    print(data.decode(), peer[0], flush=True)
    s.sendto(data, peer)
"""
UDP_ASK = """
import socket
import subprocess
s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
s.settimeout(100)
s.sendto(b'ask', ('{0}', {1}))
print(s.recvfrom(100))
c = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
c.settimeout(100)
c.connect(('{0}', {1}))
c.send(b'again')
print(c.recv(100), c.getpeername(), c.getsockname()[0])
"""
TRY = """
import errno, socket
try:
    s = socket.socket(socket.AF_INET, socket.{2})
    s.connect(('{0}', {1}))
    print('connected')
except OSError as exc:
    print(errno.errorcode[exc.errno])
"""


def python(text: str, *values: object) -> list[str]:
    return [PYTHON, "-u", "-c", text.format(*values)]


def output_of(process: subprocess.Popen[bytes]) -> list[str]:
    output, errors = process.communicate(timeout=100)
    assert not errors, errors.decode()
    return output.decode().splitlines()


def first_line(process: subprocess.Popen[bytes]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().decode().strip()


_ROWS = 220  # of twenty ports each
_used = itertools.count(os.getpid() % _ROWS)


def free_ports() -> int:
    """Return the first of twenty ports below those that the engine and the kernel choose.

    The last of them stays bound until this process ends, without a listener. So no other test
    process takes the same ports, even while they are not in use.
    """
    for _ in range(_ROWS):
        first = 20000 + next(_used) % _ROWS * 20
        with contextlib.ExitStack() as stack:
            try:
                bound = [stack.enter_context(socket.socket(socket.AF_INET6)) for _ in range(20)]
                for port, one in enumerate(reversed(bound), first):
                    one.bind(("::", port))
            except OSError:
                continue
            bound[0].detach()
        return first
    raise AssertionError("no free ports")
