# SPDX-License-Identifier: MIT
"""Many at once: containers, processes in one, idle ones, and much data."""

from __future__ import annotations

import hashlib
import os
import pathlib
import subprocess
import threading
import time

import pytest

from tests.harness.command import Sandbox
from tests.harness.containers import record, server
from tests.harness.polling import until

pytestmark = [pytest.mark.guest, pytest.mark.slow, pytest.mark.timeout(240)]

IDLE = int(os.environ.get("SANDBOX_TEST_IDLE", "12"))
MEGABYTES = int(os.environ.get("SANDBOX_TEST_MEGABYTES", "256"))


def _all(engine: Sandbox, commands: list[list[str]]) -> list[tuple[int, bytes, bytes]]:
    running = [
        subprocess.Popen(
            engine.argv(*command),
            env=engine.environment(),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        for command in commands
    ]
    return [(*_ended(one),) for one in running]


def _ended(process: subprocess.Popen[bytes]) -> tuple[int, bytes, bytes]:
    output, errors = process.communicate(timeout=200)
    return process.returncode, output, errors


def test_sixty_four_run_at_the_same_time(engine: Sandbox) -> None:
    commands = [["run", "--rm", "host", "echo", str(number)] for number in range(64)]
    assert _all(engine, commands) == [(0, f"{number}\n".encode(), b"") for number in range(64)]
    assert engine.ok("ps", "-aq") == ""
    assert "whole" in engine.ok("system", "fsck")


def test_a_hundred_processes_enter_a_container_at_once(engine: Sandbox) -> None:
    server(engine, "srv")
    commands = [["exec", "srv", "sh", "-c", f"echo {n}; exit {n % 5}"] for n in range(100)]
    assert _all(engine, commands) == [(n % 5, f"{n}\n".encode(), b"") for n in range(100)]
    until(lambda: len(engine.ok("top", "srv").splitlines()) == 2)


def _cpu_seconds(pid: int) -> float:
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _own_bytes(pid: int) -> int:
    """Return the resident memory of a process: its own, and all it shares with files."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(text.partition("VmRSS:")[2].split()[0]) * 1024


def test_idle_containers_cost_next_to_nothing(engine: Sandbox) -> None:
    for number in range(IDLE):
        engine.ok("run", "-d", "--name", f"idle{number}", "host", "sleep", "1000")
    keepers = [record(engine, f"idle{number}")["keeper"] for number in range(IDLE)]
    assert max(map(_own_bytes, keepers)) < 25 << 20
    before = sum(map(_cpu_seconds, keepers))
    begun = time.monotonic()
    time.sleep(4)
    share = (sum(map(_cpu_seconds, keepers)) - before) / (time.monotonic() - begun)
    print(f"\n{IDLE} idle: {share:.2%} of a CPU, {max(map(_own_bytes, keepers)) >> 10} KiB each")
    assert share < 0.01


def _through(engine: Sandbox, *arguments: str) -> float:
    """Send random bytes through `cat`; they must come back. MB/s."""
    block = os.urandom(1 << 20)
    begun = time.monotonic()
    process = subprocess.Popen(
        engine.argv(*arguments, "cat"),
        env=engine.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin is not None
    assert process.stdout is not None
    wanted, found = hashlib.blake2b(), hashlib.blake2b()
    for _ in range(MEGABYTES):
        wanted.update(block)

    def feed() -> None:
        assert process.stdin is not None
        with process.stdin as pipe:
            for _ in range(MEGABYTES):
                pipe.write(block)

    feeder = threading.Thread(target=feed)
    feeder.start()
    while piece := process.stdout.read(1 << 20):
        found.update(piece)
    feeder.join()
    process.stdout.close()
    assert process.wait() == 0
    assert found.digest() == wanted.digest()
    return MEGABYTES / (time.monotonic() - begun)


def test_much_data_passes_unchanged(engine: Sandbox) -> None:
    server(engine, "srv")
    rates = {
        "run --rm -i": _through(engine, "run", "--rm", "-i", "host"),
        "run -i, by a supervisor": _through(engine, "run", "-i", "--log-driver", "none", "host"),
        "exec -i": _through(engine, "exec", "-i", "srv"),
    }
    print("", *(f"{name}: {rate:.0f} MB/s" for name, rate in rates.items()), sep="\n")
