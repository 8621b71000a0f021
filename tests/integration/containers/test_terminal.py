# SPDX-License-Identifier: MIT
"""`run -it` in a real terminal."""

from __future__ import annotations

import os
import subprocess
from typing import TYPE_CHECKING

import pexpect
import pytest

if TYPE_CHECKING:
    from tests.harness.command import Sandbox

pytestmark = pytest.mark.guest


def _spawn(sandbox: Sandbox, *arguments: str) -> pexpect.spawn:
    program, *rest = sandbox.argv("run", "--rm", "-it", *arguments)
    child = pexpect.spawn(
        program,
        rest,
        env={**sandbox.environment(), "TERM": "xterm"},  # type: ignore[arg-type]
        dimensions=(33, 101),
        timeout=100,
    )
    child.delaybeforesend = None
    return child


def _exit_code(child: pexpect.spawn) -> int | None:
    child.expect(pexpect.EOF)
    child.close()
    status: int | None = child.exitstatus
    return status


def _leave(child: pexpect.spawn) -> None:
    child.sendline("exit")
    assert _exit_code(child) is not None


def test_a_shell_works_and_run_returns_its_status(sandbox: Sandbox) -> None:
    child = _spawn(sandbox, "-e", "PS1=ready> ", "host", "sh")
    child.expect("ready> ")
    child.sendline("tty; echo sum=$((40+2))")
    child.expect("/dev/pts/[0-9]+")
    child.expect("sum=42")
    child.sendline("exit 3")
    assert _exit_code(child) == 3


def test_a_program_sees_the_window_size_and_its_changes(sandbox: Sandbox) -> None:
    script = "stty size; trap 'stty size; exit 4' WINCH; echo up; while :; do sleep 0.05; done"
    child = _spawn(sandbox, "host", "sh", "-c", script)
    child.expect("33 101")
    child.expect("up")
    child.setwinsize(20, 70)
    child.expect("20 70")
    assert _exit_code(child) == 4


def test_ctrl_c_ends_the_job_but_not_the_shell(sandbox: Sandbox) -> None:
    child = _spawn(sandbox, "-e", "PS1=ready> ", "host", "bash", "--norc")
    child.expect("ready> ")
    child.sendline("sh -c 'echo begun; exec sleep 1000'")
    child.expect("begun\r\n")
    child.sendintr()
    child.expect("ready> ")
    child.sendline("echo status=$?")
    child.expect("status=130")
    _leave(child)


def test_jobs_are_stopped_and_continued(sandbox: Sandbox) -> None:
    child = _spawn(sandbox, "-e", "PS1=ready> ", "host", "bash", "--norc")
    child.expect("ready> ")
    child.sendline("sh -c 'echo begun; read line; echo ended $line'")
    child.expect("begun\r\n")
    child.send("\x1a")
    child.expect("Stopped")
    child.sendline("fg")
    child.expect("read line; echo ended .line'\r\n")
    child.sendline("well")
    child.expect("ended well\r\n")
    _leave(child)


def test_end_of_file_ends_the_shell(sandbox: Sandbox) -> None:
    child = _spawn(sandbox, "-e", "PS1=ready> ", "host", "sh")
    child.expect("ready> ")
    child.sendeof()
    assert _exit_code(child) == 0


def test_run_it_needs_a_terminal(sandbox: Sandbox) -> None:
    done = sandbox.call("run", "--rm", "-it", "host", "true")
    assert (done.returncode, done.stderr) == (1, b"sandbox: the input device is not a TTY\n")


def test_run_t_gives_a_terminal_without_input(sandbox: Sandbox) -> None:
    done = subprocess.run(
        sandbox.argv("run", "--rm", "-t", "host", "sh", "-c", "test -t 1 && echo yes"),
        env=sandbox.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        check=False,
        timeout=100,
    )
    assert done.stdout == b"yes" + os.linesep.replace("\n", "\r\n").encode()


def test_the_terminal_belongs_to_the_containers_user(sandbox: Sandbox) -> None:
    script = 'stat -c "owner %u" $(tty); echo written >$(tty); echo error >/dev/stderr'
    for user, owner in (("1234:0", 1234), ("0", 0)):
        child = _spawn(sandbox, "-u", user, "host", "sh", "-c", script)
        child.expect(f"owner {owner}\r\nwritten\r\nerror\r\n")
        assert _exit_code(child) == 0


NEW_TERMINALS = """
import fcntl, os, sys, termios
for uid in (1234, 0, 77):
    if os.fork() == 0:
        os.setresuid(uid, uid, uid)
        master = os.open('/dev/ptmx', os.O_RDWR | os.O_NOCTTY)
        number = int.from_bytes(fcntl.ioctl(master, 0x80045430, bytes(4)), sys.byteorder)
        fcntl.ioctl(master, 0x40045431, bytes(4))
        name = f'/dev/pts/{number}'
        os.write(os.open(name, os.O_RDWR | os.O_NOCTTY), b'written')
        print(os.stat(name).st_uid, os.read(master, 100).decode(), flush=True)
        os._exit(0)
    os.wait()
"""


@pytest.mark.parametrize("way", ["rewrite", "trap", "ptrace"])
def test_a_user_owns_the_pseudoterminals_that_it_opens(sandbox: Sandbox, way: str) -> None:
    script = ["python3", "-c", NEW_TERMINALS]
    output = sandbox.ok("run", "--rm", "--interceptor", way, "host", *script)
    assert output.splitlines() == ["1234 written", "0 written", "77 written"]
