# SPDX-License-Identifier: MIT
"""No process outlives its container, whatever it hides from the container's table."""

from __future__ import annotations

import contextlib
import fcntl
import os
import pathlib
import signal

import pytest

from tests.harness.attacks import IMAGE, INTERCEPTORS, Arena, successes
from tests.harness.containers import murder
from tests.harness.polling import until

pytestmark = pytest.mark.guest

PROGRAMS = ("hiding",)


class Hideout:
    """A folder with the file that the hidden process locks."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.flag = folder / "flag"
        self.options = ("-v", f"{folder}:/hideout")

    @property
    def is_inhabited(self) -> bool:
        """Whether the hidden process lives; the kernel drops the lock when it ends."""
        with self.flag.open("rb") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
        return False

    @property
    def pid(self) -> int:
        """The pid of the hidden process."""
        return int(self.flag.read_text())


@pytest.fixture
def hideout(tmp_path: pathlib.Path) -> Hideout:
    return Hideout(tmp_path)


def test_without_the_fence_a_process_outlives_its_container(
    unfenced: Arena, hideout: Hideout
) -> None:
    found = unfenced.attack("hiding", hideout.flag, options=hideout.options)
    assert successes(found) == list(found)
    assert hideout.is_inhabited
    os.kill(hideout.pid, signal.SIGKILL)


@pytest.mark.parametrize("interceptor", INTERCEPTORS)
def test_no_process_outlives_a_run(fenced: Arena, hideout: Hideout, interceptor: str) -> None:
    command = ("hiding", hideout.flag)
    found = fenced.attack(*command, interceptor=interceptor, options=hideout.options)
    assert successes(found) == ["live on"]
    assert not hideout.is_inhabited


def test_a_process_that_an_exec_left_behind_ends_with_its_container(
    fenced: Arena, hideout: Hideout
) -> None:
    engine = fenced.sandbox
    engine.ok("run", "-d", "--name", "box", *hideout.options, IMAGE, "/idle")
    engine.ok("exec", "box", "/hiding", str(hideout.flag))
    assert hideout.is_inhabited
    pids = engine.ok("top", "box", "-eo", "pid").split()[1:]
    assert str(hideout.pid) in pids
    engine.ok("pause", "box")
    status = pathlib.Path(f"/proc/{hideout.pid}/status").read_text()
    assert "State:\tT" in status
    engine.ok("unpause", "box")
    engine.ok("rm", "-f", "box")
    assert not hideout.is_inhabited


def test_a_hidden_process_ends_when_the_death_of_its_supervisor_is_seen(
    fenced: Arena, hideout: Hideout
) -> None:
    engine = fenced.sandbox
    engine.ok("run", "-d", "--name", "box", *hideout.options, IMAGE, "/hiding", str(hideout.flag))
    engine.ok("wait", "box")
    assert not hideout.is_inhabited
    engine.ok("run", "-d", "--name", "other", *hideout.options, IMAGE, "/idle")
    engine.ok("exec", "other", "/hiding", str(hideout.flag))
    murder(engine, "other")
    engine.ok("ps")
    until(lambda: not hideout.is_inhabited)
    engine.ok("rm", "box", "other")


def test_no_signal_goes_to_a_process_that_is_not_the_containers(
    fenced: Arena, tmp_path: pathlib.Path
) -> None:
    """A guest can write any pid into the table."""
    from sandbox.native import core

    engine = fenced.sandbox
    engine.ok("run", "-d", "--name", "box", IMAGE, "/idle")
    with contextlib.ExitStack() as stack:
        stack.callback(engine.ok, "rm", "-f", "box")
        run_dir = engine.ok("inspect", "-f", "{{.Id}}", "box")[:12]
        control = f"{tmp_path}/{run_dir}/control"
        assert not core.signal_process(control, os.getpid(), 0)
        assert len(core.processes(control)) == 1
