# SPDX-License-Identifier: MIT
"""Full-screen programs in a real terminal."""

from __future__ import annotations

import pytest

from tests.harness.command import Sandbox
from tests.harness.screen import Terminal

pytestmark = pytest.mark.guest


def test_vim_edits_is_detached_and_attached_again(engine: Sandbox) -> None:
    engine.ok("create", "-it", "--name", "edit", "host", "vim.tiny", "-u", "NONE", "/sbx-note")
    screen = Terminal(engine, "start", "-ai", "edit")
    screen.see("note", "[New File]")
    screen.keys("ifirst line\rsecond\x1b")
    screen.see("first line", "second")
    screen.keys("\x10\x11")
    assert screen.ends() == 0
    again = Terminal(engine, "attach", "edit")
    again.keys("\x0c")  # redraws
    again.see("first line", "second")
    again.resize(30, 100)
    # Wait for the redraw, since vim loses a size change that comes while it draws.
    again.until(lambda: again.text.count("~") == 27, "the new size")
    again.keys("othird\x1b")
    again.see("third")
    again.keys(":wq\r")
    assert again.ends() == 0
    engine.ok("cp", "edit:/sbx-note", str(engine.store.parent / "note"))
    assert (engine.store.parent / "note").read_text() == "first line\nsecond\nthird\n"


def test_less_pages_and_searches(engine: Sandbox) -> None:
    numbers = "seq 1 500 | sed 's/^/row /' > $HOME/.rows; exec less $HOME/.rows"
    screen = Terminal(engine, "run", "-it", "--rm", "host", "sh", "-c", numbers)
    screen.see("row 1\n", "row 23")
    screen.keys(" ")
    screen.see("row 24", "row 46")
    screen.keys("/row 300\r")
    screen.see("row 300")
    screen.keys("q")
    assert screen.ends() == 0


def test_htop_shows_processes_and_follows_the_window(engine: Sandbox) -> None:
    screen = Terminal(engine, "run", "-it", "--rm", "host", "htop", "-d", "5")
    screen.see("PID", "Load average", "F10")
    screen.resize(40, 120)
    screen.keys("q")
    assert screen.ends() == 0


def test_tmux_splits_and_closes_panes(engine: Sandbox) -> None:
    flags = ["-it", "--name", "mux", "-e", "LC_ALL=C.UTF-8"]
    command = ["tmux", "-f", "/dev/null", "new", "sh"]
    screen = Terminal(engine, "run", *flags, "host", *command)
    screen.see("0:sh")
    screen.keys('\x02"')
    screen.until(lambda: screen.text.count("─") > 20, "a line between two panes")
    screen.keys("echo $((6*7))\r")
    screen.see("42")
    screen.keys("exit\r")
    screen.until(lambda: screen.text.count("─") < 20, "one pane")
    screen.keys("exit\r")
    assert screen.ends() == 0


def test_a_shell_stops_and_continues_its_jobs(engine: Sandbox) -> None:
    flags = ["-it", "--rm", "--name", "jobs", "-e", "PS1=here> "]
    screen = Terminal(engine, "run", *flags, "host", "bash", "--norc")
    screen.see("here>")
    screen.keys("sh -c 'echo be''gun; exec sleep 1000'\r")
    screen.see("begun")
    screen.keys("\x1a")
    screen.see("Stopped")
    screen.keys("bg\rjobs\r")
    screen.see("Running")
    screen.keys("fg\r")
    look = ["exec", "jobs", "ps", "-C", "sleep", "-o", "stat="]
    screen.until(lambda: "+" in engine.ok(*look), "a program in the foreground")
    screen.keys("\x03")
    screen.keys("echo code $?\r")
    screen.see("code 130")
    screen.keys("exit 0\r")
    assert screen.ends() == 0
