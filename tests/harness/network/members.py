# SPDX-License-Identifier: MIT
"""Members of networks: containers with small servers, and callers of them."""

from __future__ import annotations

from tests.harness.command import Sandbox
from tests.harness.polling import until

# Sends each caller the server's name and the caller's address. Ends by itself.
SERVER = """
import signal, socket, sys
signal.alarm(600)
listener = socket.socket()
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
listener.bind(("0.0.0.0", int(sys.argv[1])))
listener.listen()
print("up", flush=True)
while True:
    caller, address = listener.accept()
    with caller:
        caller.sendall(f"{sys.argv[2]} {address[0]}".encode())
"""


ECHO = """
import signal, socket
signal.alarm(600)
sock = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
sock.bind(("0.0.0.0", 7777))
print("up", flush=True)
while True:
    data, address = sock.recvfrom(1000)
    sock.sendto(data.upper(), address)
"""


CALL = """
import errno, socket, sys
try:
    with socket.create_connection((sys.argv[1], int(sys.argv[2])), 100) as sock:
        print(sock.recv(1000).decode())
except socket.gaierror:
    print("no such name")
except OSError as exc:
    print(errno.errorcode[exc.errno])
"""


def serve(engine: Sandbox, name: str, *flags: str, port: int = 5432, script: str = SERVER) -> None:
    """Start a container with a server; return when it listens."""
    command = ("host", "/usr/bin/python3", "-c", script, str(port), name)
    engine.ok("run", "-d", "--name", name, *flags, *command)
    until(lambda: "up\n" in engine.ok("logs", name))


def call(engine: Sandbox, name: str, host: str, port: int = 5432) -> str:
    """Connect from inside a container; return the answer or the error."""
    return engine.ok("exec", name, "/usr/bin/python3", "-c", CALL, host, str(port)).strip()


def address(engine: Sandbox, name: str, network: str) -> str:
    template = f'{{{{(index .NetworkSettings.Networks "{network}").IPAddress}}}}'
    return engine.ok("inspect", "-f", template, name).strip()


def hosts(engine: Sandbox, name: str) -> dict[str, str]:
    """Return the address of every name in a container's /etc/hosts."""
    text = engine.ok("exec", name, "cat", "/etc/hosts")
    rows = [line.split() for line in text.splitlines()]
    return {word: row[0] for row in rows for word in row[1:]}


def resolved(engine: Sandbox, name: str, wanted: str) -> str:
    """Return the address of a name in a container, or "" if it has none there."""
    done = engine.call("exec", name, "getent", "ahostsv4", wanted)
    return done.stdout.decode().partition(" ")[0]
