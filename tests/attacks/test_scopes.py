# SPDX-License-Identifier: MIT
"""Signals, abstract sockets and priorities end at the container; `exec` is within it."""

from __future__ import annotations

import os
import pathlib
import secrets
import signal
import socket
import subprocess
from collections.abc import Iterator

import pytest

from sandbox.native.probe import probe
from sandbox.native.process_table import keeper_of
from tests.harness.attacks import INTERCEPTORS, Arena, successes
from tests.harness.polling import until

pytestmark = [
    pytest.mark.guest,
    pytest.mark.skipif(probe().landlock < 6, reason="Landlock has no scopes before ABI 6"),
]

PROGRAMS = ("scope", "peers", "procfs")


@pytest.fixture
def victim() -> Iterator[tuple[str, str]]:
    """A process of the machine that any process of its user may trace, and an abstract socket."""
    name = f"sandbox-test-{secrets.token_hex(4)}"
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(f"\0{name}")
        listener.listen()
        with subprocess.Popen(["sleep", "600"]) as process:
            yield str(process.pid), name
            assert process.poll() is None
            process.kill()


ATTEMPTS = [
    "send a signal",
    "send a signal to a thread",
    "send a signal by a descriptor",
    "queue a signal",
    "connect to its abstract socket",
]


def test_without_the_fence_a_guest_reaches_the_machines_processes(
    unfenced: Arena, victim: tuple[str, str]
) -> None:
    assert set(ATTEMPTS) <= set(successes(unfenced.attack("scope", *victim)))


@pytest.mark.parametrize("interceptor", INTERCEPTORS)
@pytest.mark.parametrize("way", ["run", "exec", "RUN"])
def test_no_guest_reaches_the_machines_processes(
    fenced: Arena, victim: tuple[str, str], way: str, interceptor: str
) -> None:
    found = fenced.attack("scope", *victim, way=way, interceptor=interceptor)
    assert set(ATTEMPTS) <= set(found)
    assert successes(found) == []


@pytest.mark.parametrize("way", ["run", "RUN"])
def test_the_network_of_the_machine_has_its_abstract_sockets(
    fenced: Arena, victim: tuple[str, str], way: str
) -> None:
    found = fenced.attack("scope", *victim, way=way, network="host")
    assert successes(found) == ["connect to its abstract socket"]


LOOKS = {
    "open its memory to write",
    "read its environment",
    "read where its memory lies",
    "read its auxiliary vector",
    "see its working directory",
    "see its descriptors",
}
WRITES = {"let it be killed first", "let it dump nothing", "forget what it used"}


def test_without_the_fence_a_guest_looks_into_the_machines_processes(
    unfenced: Arena, victim: tuple[str, str]
) -> None:
    assert set(successes(unfenced.attack("procfs", victim[0]))) >= LOOKS | WRITES


@pytest.mark.parametrize("interceptor", INTERCEPTORS)
@pytest.mark.parametrize("way", ["run", "exec"])
def test_no_guest_looks_into_the_machines_processes(
    fenced: Arena, victim: tuple[str, str], way: str, interceptor: str
) -> None:
    found = fenced.attack("procfs", victim[0], way=way, interceptor=interceptor)
    assert set(found) >= LOOKS | WRITES
    assert successes(found) == []


HEAR = """
import signal
signal.pthread_sigmask(signal.SIG_BLOCK, [signal.SIGUSR1])
print("up", flush=True)
signal.sigwait([signal.SIGUSR1])
print("heard", flush=True)
signal.pause()
"""


@pytest.mark.parametrize("interceptor", INTERCEPTORS)
def test_processes_of_exec_and_the_first_one_reach_each_other(
    fenced: Arena, interceptor: str
) -> None:
    engine = fenced.engine(interceptor)
    engine.ok("run", "-d", "--name", "first", "host", "/usr/bin/python3", "-c", HEAR)
    try:
        until(lambda: "up" in engine.ok("logs", "first"))
        send = "import os, signal; os.kill(1, signal.SIGUSR1); print('sent')"
        assert engine.ok("exec", "first", "/usr/bin/python3", "-c", send) == "sent\n"
        until(lambda: "heard" in engine.ok("logs", "first"))
    finally:
        engine.ok("rm", "-f", "first")


def test_a_process_of_exec_gets_signals_and_its_end_is_told(fenced: Arena) -> None:
    name = fenced.idle()
    with subprocess.Popen(
        fenced.sandbox.argv("exec", name, "/idle"),
        env=fenced.sandbox.environment(),
        stdout=subprocess.PIPE,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == b"up\n"
        process.send_signal(signal.SIGTERM)
        assert process.wait(timeout=100) == 128 + signal.SIGTERM


def test_a_container_whose_keeper_was_killed_still_takes_exec(fenced: Arena) -> None:
    """A guest may kill the keeper. Then a process enters in a domain of its own."""
    engine = fenced.sandbox
    engine.ok("run", "-d", "--name", "kept", "attack", "/idle")
    try:
        identity = engine.ok("inspect", "-f", "{{.Id}}", "kept").strip()
        keeper = keeper_of(f"/dev/shm/sandbox-{os.getuid()}/{identity[:12]}")
        assert str(keeper) not in engine.ok("top", "kept", "-eo", "pid").split()
        os.kill(keeper, signal.SIGKILL)
        until(lambda: not pathlib.Path(f"/proc/{keeper}").exists())
        found = fenced.sandbox.ok("exec", "kept", "/scope", "1", "nothing")
        assert "send a signal: EPERM" in found
    finally:
        engine.ok("rm", "-f", "kept")


def of_strangers(found: dict[str, str]) -> dict[str, str]:
    return {what: how for what, how in found.items() if not what.endswith(("a child", "a thread"))}


def test_without_the_fence_a_guest_changes_how_processes_of_the_machine_run(
    unfenced: Arena, victim: tuple[str, str]
) -> None:
    # Not all processes of the user: that would change the test, too.
    found = unfenced.attack("peers", victim[0])
    reached = successes(of_strangers(found))
    assert len(reached) >= 5
    assert not any("not past the runtime" in what for what in reached)  # it finds nobody there


@pytest.mark.parametrize("interceptor", INTERCEPTORS)
@pytest.mark.parametrize("way", ["run", "exec"])
def test_a_guest_changes_how_its_own_processes_run_and_no_others(
    fenced: Arena, victim: tuple[str, str], way: str, interceptor: str
) -> None:
    found = fenced.attack("peers", victim[0], way=way, interceptor=interceptor)
    assert successes(of_strangers(found)) == []
    own = {what: how for what, how in found.items() if what not in of_strangers(found)}
    assert len(own) >= 6
    assert successes(own) == list(own)
