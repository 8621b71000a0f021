# SPDX-License-Identifier: MIT
"""`attach`, `run` and `start -a` connect to a container through pipes and terminals."""

from __future__ import annotations

import os
import signal
import subprocess

import pexpect
import pytest

from tests.harness.command import Sandbox
from tests.harness.containers import server, state
from tests.harness.polling import until

pytestmark = pytest.mark.guest


def _terminal(engine: Sandbox, *arguments: str) -> pexpect.spawn:
    program, *rest = engine.argv(*arguments)
    child = pexpect.spawn(
        program,
        rest,
        env={**engine.environment(), "TERM": "xterm"},  # type: ignore[arg-type]
        dimensions=(33, 101),
        timeout=100,
    )
    child.delaybeforesend = None
    return child


def _end(child: pexpect.spawn) -> int | None:
    child.expect(pexpect.EOF)
    child.close()
    code: int | None = child.exitstatus
    return code


def test_a_terminal_is_detached_and_attached_again(engine: Sandbox) -> None:
    child = _terminal(engine, "run", "-it", "--name", "sh", "-e", "PS1=ready> ", "host", "sh")
    child.expect("ready> ")
    child.sendline("x=kept; stty size")
    child.expect("33 101")
    child.send("\x10\x11")
    assert _end(child) == 0
    assert state(engine, "sh")["Running"]
    child = _terminal(engine, "attach", "--detach-keys", "ctrl-a,q", "sh")
    child.setwinsize(20, 70)
    child.sendline("echo $x")
    child.expect("kept")
    # Repeated, since the typed command may be quicker than the new size.
    until(lambda: child.sendline("stty size") and child.expect(["20 70", "33 101"]) == 0)
    child.send("\x01q")
    child.expect("read escape sequence")
    assert _end(child) == 1
    child = _terminal(engine, "attach", "sh")
    child.sendline("exit 6")
    assert _end(child) == 6
    child = _terminal(engine, "start", "-ai", "sh")
    child.expect("ready> ")
    child.sendline("exit 4")
    assert _end(child) == 4
    wanted = ("--filter", "event=attach", "--filter", "event=detach", "--format", "{{.Action}}")
    actions = engine.ok("events", "--since", "1h", "--until", "0s", *wanted).split()
    assert actions == ["attach", "detach", "attach", "detach", "attach", "attach"]


def test_input_and_output_pass_unchanged_and_are_logged(engine: Sandbox) -> None:
    data = os.urandom(3_000_000)
    done = engine.call("run", "-i", "--name", "cat", "host", "cat", stdin=data)
    assert done.returncode == 0
    assert done.stdout == data
    text = "".join(f"line {number}\n" for number in range(5000))
    done = engine.call("run", "-i", "--name", "cat2", "host", "cat", stdin=text.encode())
    assert engine.ok("logs", "cat2") == text


def test_output_and_errors_stay_separate(engine: Sandbox) -> None:
    done = engine.call("run", "host", "sh", "-c", "echo out; echo err >&2; exit 3")
    assert (done.returncode, done.stdout, done.stderr) == (3, b"out\n", b"err\n")


def test_signals_to_run_reach_the_main_process(engine: Sandbox) -> None:
    process = subprocess.Popen(
        engine.argv(
            "run", "--name", "srv", "host", "sh", "-c",
            "trap 'echo got; exit 5' INT; echo up; while :; do sleep 0.05; done",
        ),
        env=engine.environment(),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
    )  # fmt: skip
    with process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.send_signal(signal.SIGINT)
        assert process.communicate(timeout=100)[0] == b"got\n"
    assert process.returncode == 5


def test_two_attached_clients_see_the_same_output(engine: Sandbox) -> None:
    server(engine)
    watchers = [
        subprocess.Popen(
            engine.argv("attach", "--no-stdin", "srv"),
            env=engine.environment(),
            stdout=subprocess.PIPE,
        )
        for _ in range(2)
    ]
    for watcher in watchers:
        # The server prints a line for each SIGHUP; a client sees it once it is attached.
        assert watcher.stdout is not None
        reader = watcher.stdout
        os.set_blocking(reader.fileno(), False)

        def heard(reader=reader) -> bool:
            engine.ok("kill", "-s", "HUP", "srv")
            return b"hup" in (reader.read() or b"")

        until(heard)
        os.set_blocking(reader.fileno(), True)
    engine.ok("stop", "srv")
    for watcher in watchers:
        with watcher:
            assert watcher.communicate(timeout=100)[0].endswith(b"bye\n")
            assert watcher.returncode == 7


def test_attach_needs_a_running_container(engine: Sandbox) -> None:
    engine.ok("create", "--name", "idle", "host", "true")
    done = engine.call("attach", "idle")
    assert done.returncode == 1
    assert b"cannot attach to a stopped container" in done.stderr
    assert engine.call("attach", "nope").returncode == 1
