# SPDX-License-Identifier: MIT
"""The relay between the user's terminal and the container's terminal."""

from __future__ import annotations

import os
import select
import signal
import termios

import pytest

from sandbox.runtime import terminal
from sandbox.runtime.process import reaper

# Waits for signals. A shell handles signals between commands, so one that arrives just before a
# `read` would wait until that ends.
WAITING = "while :; do sleep 0.05; done"


class Session:
    """A relay in a child process, between the user's pty and the program's pty."""

    def __init__(self, program: list[str], *, attach: bool = True) -> None:
        self.user, user_side = os.openpty()
        termios.tcsetwinsize(self.user, (33, 101))
        self.before = termios.tcgetattr(user_side)
        self.pid = os.fork()
        if self.pid == 0:
            try:
                code = _relay_child(program, user_side, attach)
            finally:
                os._exit(99)
            os._exit(code)
        self.user_side = user_side

    def type(self, data: bytes) -> None:
        os.write(self.user, data)

    def read_until(self, wanted: bytes) -> bytes:
        seen = b""
        while wanted not in seen:
            ready = select.select([self.user], [], [], 100)[0]
            assert ready, f"nothing more after {seen!r}"
            seen += os.read(self.user, 4096)
        return seen

    def end(self) -> int:
        return os.waitstatus_to_exitcode(os.waitpid(self.pid, 0)[1])


def _relay_child(program: list[str], user_side: int, attach: bool) -> int:
    os.setsid()
    terminal.become_controlling(user_side)
    main = reaper.MainProcess()
    pty = terminal.open_pty(user_side)
    with (
        reaper.woken_by_children(lambda: terminal.copy_size(user_side, pty.master)) as wake,
        terminal.raw_mode(user_side),
    ):
        pid = os.fork()
        if pid == 0:
            os.setsid()
            terminal.become_controlling(pty.slave)
            for fd in (0, 1, 2):
                os.dup2(pty.slave, fd)
            reaper.reset_signals()
            os.closerange(3, 256)
            os.execvp(program[0], program)
        os.close(pty.slave)
        main.born(pid)
        terminal.relay(
            pty.master,
            keyboard=user_side if attach else None,
            screen=user_side,
            wake=wake,
            has_ended=lambda: (terminal.drain(wake), main.has_ended())[1],
        )
    assert main.status is not None
    os._exit(os.waitstatus_to_exitcode(main.status))


def test_input_reaches_the_program_and_its_output_the_terminal() -> None:
    session = Session(["sh", "-c", "read line; echo got:$line; exit 5"])
    session.type(b"hello\r")
    session.read_until(b"got:hello\r\n")
    assert session.end() == 5


def test_the_program_s_terminal_has_the_user_s_size() -> None:
    session = Session(["sh", "-c", "test -t 0 && stty size"])
    session.read_until(b"33 101")
    assert session.end() == 0


def test_a_resize_reaches_the_program() -> None:
    session = Session(["sh", "-c", f"trap 'stty size; exit 6' WINCH; echo up; {WAITING}"])
    session.read_until(b"up")
    termios.tcsetwinsize(session.user, (50, 60))
    session.read_until(b"50 60")
    assert session.end() == 6


def test_ctrl_c_interrupts_the_program_and_not_the_relay() -> None:
    session = Session(["sh", "-c", f"trap 'echo caught; exit 9' INT; echo up; {WAITING}"])
    session.read_until(b"up")
    session.type(b"\x03")
    session.read_until(b"caught")
    assert session.end() == 9


def test_all_output_of_a_program_that_ends_at_once_is_shown() -> None:
    session = Session(["sh", "-c", "seq 1 3000; echo the-end"])
    seen = session.read_until(b"the-end\r\n")
    assert seen.count(b"\n") == 3001
    assert session.end() == 0


def test_the_user_s_terminal_is_restored_afterwards() -> None:
    session = Session(["true"])
    assert session.before[3] & termios.ICANON
    assert session.before[3] & termios.ECHO
    assert session.end() == 0
    assert termios.tcgetattr(session.user_side) == session.before


def test_raw_mode_is_undone_after_an_error() -> None:
    _, side = os.openpty()
    before = termios.tcgetattr(side)

    def fail_in_raw_mode() -> None:
        with terminal.raw_mode(side):
            assert not termios.tcgetattr(side)[3] & termios.ICANON
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_in_raw_mode()
    assert termios.tcgetattr(side) == before


def test_without_attached_input_only_output_is_relayed() -> None:
    session = Session(["sh", "-c", "echo out; sleep 0.1"], attach=False)
    session.read_until(b"out")
    assert session.end() == 0


def test_the_relay_ends_when_a_signal_kills_the_program() -> None:
    session = Session(["sh", "-c", "kill -KILL $$"])
    assert os.waitpid(session.pid, 0)[1] != signal.SIGTERM
