# SPDX-License-Identifier: MIT
"""What the user types at other terminals is not for programs of a container.

Past the runtime a program can still open them: docs/threat-model.md says so. Before the runtime
asked whose a terminal is, `head /dev/pts/1` read what was typed there.
"""

from __future__ import annotations

import os

import pytest

from tests.harness.command import Sandbox

pytestmark = pytest.mark.guest

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
    assert said.split() == ["PermissionError"] * 3


def test_a_program_opens_the_terminals_of_its_container(sandbox: Sandbox) -> None:
    said = sandbox.host("python3", "-c", OWN).split("\n")
    assert [line.strip() for line in said if line.strip()] == [
        "controlling",
        "by name",
        "in a session of its own",
    ]
