# SPDX-License-Identifier: MIT
"""What the user types at other terminals is not for programs of a container."""

from __future__ import annotations

import os
import subprocess
import tty
from collections.abc import Iterator

import pytest

from tests.harness.attacks import INTERCEPTORS, WAYS, Arena, successes
from tests.harness.command import Sandbox

pytestmark = pytest.mark.guest

PROGRAMS = ("terminals",)
ATTEMPTS = [
    "read what the user types",
    "write on the user's screen",
    "open a descriptor of its name again",
]
SHORT = [*((way, "rewrite") for way in WAYS), ("run", "trap"), ("run", "ptrace")]


@pytest.fixture
def terminal() -> Iterator[str]:
    """A terminal of the user, at which something was typed."""
    master, slave = os.openpty()
    tty.setraw(slave)
    os.write(master, b"a secret")
    yield os.ttyname(slave)
    os.close(master)
    os.close(slave)


def test_without_the_fence_a_guest_reads_and_writes_the_terminals_of_the_user(
    unfenced: Arena, terminal: str
) -> None:
    assert set(ATTEMPTS) <= set(successes(unfenced.attack("terminals", terminal)))


def check(fenced: Arena, terminal: str, way: str, interceptor: str) -> None:
    found = fenced.attack("terminals", terminal, way=way, interceptor=interceptor)
    assert set(ATTEMPTS) <= set(found)
    assert found["add by name"] == "ENOTTY"
    assert found["let the opener open it"] == "ENOENT"
    assert successes(found) == []


@pytest.mark.parametrize(("way", "interceptor"), SHORT)
def test_no_guest_reaches_a_terminal_of_the_user(
    fenced: Arena, terminal: str, way: str, interceptor: str
) -> None:
    check(fenced, terminal, way, interceptor)


@pytest.mark.long  # the other pairs of a way in and an interceptor
@pytest.mark.parametrize(
    ("way", "interceptor"),
    [(way, name) for way in WAYS for name in INTERCEPTORS if (way, name) not in SHORT],
)
def test_no_guest_reaches_a_terminal_of_the_user_by_every_pair(
    fenced: Arena, terminal: str, way: str, interceptor: str
) -> None:
    check(fenced, terminal, way, interceptor)


OPEN = """
import os, sys
for flags in (os.O_RDONLY, os.O_WRONLY, os.O_RDWR):
    try:
        os.open(sys.argv[1], flags | os.O_NOCTTY | os.O_NONBLOCK)
        print("open")
    except OSError as problem:
        print(type(problem).__name__)
"""
# A child without the other side opens the terminal that controls it, or that an ancestor has.
OWN = """
import os, pty
pid, master = pty.fork()
if pid == 0:
    name = os.ttyname(0)
    os.write(os.open(name, os.O_RDWR), b"controlling\\n")
    os.closerange(0, 3)
    print_to = os.open(name, os.O_RDWR)
    os.write(print_to, b"by name\\n")
    child = os.fork()
    if child == 0:
        os.setsid()
        os.closerange(0, 100)
        os.write(os.open(name, os.O_RDWR | os.O_NOCTTY), b"in a session of its own\\n")
        os._exit(0)
    os.waitpid(child, 0)
    os._exit(0)
text = b""
while True:
    try:
        text += os.read(master, 1000)
    except OSError:
        break
print(text.decode())
"""


def test_a_program_opens_no_terminal_of_the_user(sandbox: Sandbox) -> None:
    master, slave = os.openpty()
    try:
        said = sandbox.host("python3", "-c", OPEN, os.ttyname(slave))
    finally:
        os.close(master)
        os.close(slave)
    assert said.split() == ["FileNotFoundError"] * 3


def test_a_program_opens_the_terminals_of_its_container(sandbox: Sandbox) -> None:
    said = sandbox.host("python3", "-c", OWN).split("\n")
    assert [line.strip() for line in said if line.strip()] == [
        "controlling",
        "by name",
        "in a session of its own",
    ]


LIST = """
import os, pty
print(sorted(os.listdir("/dev/pts")))
master, slave = pty.openpty()
print(sorted(set(os.listdir("/dev/pts")) - {os.path.basename(os.ttyname(slave))}))
print(os.path.exists(os.ttyname(slave)))
name = os.ttyname(slave)
os.close(master)
os.close(slave)
print(os.path.exists(name))
"""


def test_a_listing_shows_the_terminals_of_the_container_alone(
    sandbox: Sandbox, terminal: str
) -> None:
    assert os.path.basename(terminal) in os.listdir("/dev/pts")
    said = sandbox.host("python3", "-c", LIST).splitlines()
    assert said == ["['ptmx']", "['ptmx']", "True", "False"]


REUSE = """
import os, pty
master, slave = pty.openpty()
name = os.ttyname(slave)
os.close(master)
os.close(slave)
print(name, flush=True)
input()
try:
    os.open(name, os.O_RDWR | os.O_NOCTTY)
    print("open")
except OSError as problem:
    print(type(problem).__name__)
"""


def test_the_number_of_a_terminal_that_has_ended_opens_no_other(sandbox: Sandbox) -> None:
    with subprocess.Popen(
        sandbox.argv("run", "--rm", "-i", "host", "python3", "-c", REUSE),
        env=sandbox.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        name = process.stdout.readline().strip()
        pairs = [os.openpty()]
        while os.ttyname(pairs[-1][1]) != name and len(pairs) < 64:
            pairs.append(os.openpty())
        names = [os.ttyname(slave) for _, slave in pairs]
        said, _ = process.communicate("\n", timeout=100)
        for pair in pairs:
            for fd in pair:
                os.close(fd)
    assert name in names
    assert said == "FileNotFoundError\n"


LOWEST = """
import fcntl, os, pty
master, slave = pty.openpty()
os.close(0)
fds = [os.open(os.ttyname(slave), os.O_RDWR | os.O_NOCTTY)]
os.close(0)
fds.append(fcntl.ioctl(master, 0x5441, os.O_RDWR | os.O_NOCTTY))  # TIOCGPTPEER
print(fds, [fcntl.fcntl(0, fcntl.F_GETFD), fcntl.fcntl(0, fcntl.F_GETFL) & os.O_ACCMODE])
"""


@pytest.mark.parametrize("interceptor", INTERCEPTORS)
def test_a_terminal_is_opened_at_the_lowest_descriptor(sandbox: Sandbox, interceptor: str) -> None:
    command = ("python3", "-c", LOWEST)
    said = sandbox.ok("run", "--rm", "--interceptor", interceptor, "host", *command)
    assert said == f"[0, 0] [0, {os.O_RDWR}]\n"


@pytest.mark.parametrize(
    "command",
    [
        ["script", "-qec", "tty; echo well > $(tty); echo done > /dev/tty", "/dev/null"],
        ["sh", "-c", "tmux -L own new-session -d 'tty > /tmp/seen'; "
         "while ! [ -s /tmp/seen ]; do sleep 0.1; done; cat /tmp/seen; echo well; echo done"],
    ],
    ids=["script", "tmux"],
)  # fmt: skip
def test_programs_that_make_terminals_work(sandbox: Sandbox, command: list[str]) -> None:
    said = sandbox.ok("run", "--rm", "host", *command, timeout=100).split()
    assert said[0].startswith("/dev/pts/")
    assert said[1:] == ["well", "done"]


def test_exec_opens_its_terminal_by_name(sandbox: Sandbox) -> None:
    sandbox.ok("run", "-d", "--name", "named", "host", "sleep", "300")
    try:
        script = "echo by name > $(tty); echo x > /dev/tty"
        said = sandbox.ok("exec", "-t", "named", "sh", "-c", script)
        assert said.split("\r\n") == ["by name", "x", ""]
    finally:
        sandbox.ok("rm", "-f", "named")
