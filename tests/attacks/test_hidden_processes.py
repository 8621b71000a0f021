# SPDX-License-Identifier: MIT
"""No process outlives its container, whatever it hides from the container's table."""

from __future__ import annotations

import itertools
import os
import pathlib
import signal
import subprocess

import pytest

from sandbox.native import core, process_table
from sandbox.runtime.process import peers
from tests.harness.attacks import IMAGE, INTERCEPTORS, WAYS, Arena, successes
from tests.harness.containers import is_gone, is_stopped, murder, processes, record
from tests.harness.polling import until

pytestmark = pytest.mark.guest

PROGRAMS = ("hiding",)
NUMBERS = itertools.count()


def word() -> str:
    """Return a word that no other process has."""
    return f"hidden-{os.getpid()}-{next(NUMBERS)}"


def hidden(name: str) -> list[int]:
    """Return the hidden processes with this word."""
    return [
        int(pid)
        for pid in processes(name)
        if pathlib.Path(f"/proc/{pid}/cmdline").read_bytes().startswith(b"/hiding\0")
    ]


def test_without_the_fence_a_process_outlives_its_container(unfenced: Arena) -> None:
    name = word()
    found = unfenced.attack("hiding", name)
    assert successes(found) == list(found)
    (pid,) = hidden(name)
    os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize(
    ("way", "interceptor"),
    [*((way, "rewrite") for way in WAYS), ("run", "trap"), ("run", "ptrace")],
)
def test_no_process_outlives_its_container(fenced: Arena, way: str, interceptor: str) -> None:
    assert interceptor in INTERCEPTORS
    name = word()
    found = fenced.attack("hiding", name, way=way, interceptor=interceptor)
    assert successes(found) == ["leave the session"]
    for container in fenced.running.copy():  # of exec
        fenced.sandbox.ok("rm", "-f", fenced.running.pop(container))
    assert hidden(name) == []


def test_a_hidden_process_is_listed_and_paused(fenced: Arena) -> None:
    engine, name = fenced.sandbox, word()
    engine.ok("run", "-d", "--name", "box", IMAGE, "/idle")
    engine.ok("exec", "box", "/hiding", name)
    (pid,) = hidden(name)
    assert peers.is_guest(pid)  # the engine's socket does not serve it
    assert str(pid) in engine.ok("top", "box", "-eo", "pid").split()
    engine.ok("pause", "box")
    assert is_stopped(pid)
    engine.ok("unpause", "box")
    assert not is_stopped(pid)
    engine.ok("stop", "-t", "0", "box")
    assert hidden(name) == []
    engine.ok("rm", "box")


def test_a_hidden_process_ends_when_the_death_of_its_supervisor_is_seen(fenced: Arena) -> None:
    engine, name = fenced.sandbox, word()
    engine.ok("run", "-d", "--name", "box", IMAGE, "/idle")
    engine.ok("exec", "box", "/hiding", name)
    murder(engine, "box")
    engine.ok("ps")
    until(lambda: not hidden(name))
    engine.ok("rm", "box")


def test_no_signal_goes_to_a_process_that_is_not_the_containers(fenced: Arena) -> None:
    """A guest can write any pid into the table."""
    engine = fenced.sandbox
    engine.ok("run", "-d", "--name", "own", IMAGE, "/idle")
    fenced.running["signals"] = "own"
    stored = record(engine, "own")
    control = f"{stored['runDir']}/control"
    assert core.processes(control) == [stored["pid"]]
    assert core.signal_process(control, stored["pid"], 0)
    assert not core.signal_process(control, os.getpid(), 0)
    assert not core.signal_process(control, stored["keeper"], 0)
    assert not core.signal_process(control, 1, 0)


def test_the_keeper_ends_with_its_container_even_if_a_guest_stopped_it(fenced: Arena) -> None:
    engine = fenced.sandbox
    engine.ok("run", "-d", "--name", "box", IMAGE, "/idle")
    stored = record(engine, "box")
    keeper = process_table.keeper_of(stored["runDir"])
    assert keeper
    os.kill(keeper, signal.SIGSTOP)  # as a guest can
    engine.ok("rm", "-f", "box")
    assert is_gone(keeper)


def test_a_container_ends_whole_where_a_low_limit_forbids_marks(fenced: Arena) -> None:
    engine, name = fenced.sandbox, word()

    def limited(*words: str) -> str:
        argv = ["prlimit", "--locks=1000:1000", *engine.argv(*words)]
        environ = engine.environment()
        return subprocess.run(
            argv, env=environ, capture_output=True, text=True, check=True, timeout=100
        ).stdout

    limited("run", "-d", "--name", "box", IMAGE, "/idle", name)
    assert len(limited("top", "box").splitlines()) == 2
    assert processes(name)
    limited("pause", "box")
    limited("unpause", "box")
    limited("rm", "-f", "box")
    assert not processes(name)
