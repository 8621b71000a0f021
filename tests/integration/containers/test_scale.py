# SPDX-License-Identifier: MIT
"""Many containers at once, many processes in one, many idle containers, and much data."""

from __future__ import annotations

import os
import pathlib
import subprocess
import threading
import time

import pytest

from sandbox.native import process_table
from tests.harness.command import Sandbox
from tests.harness.containers import record, server
from tests.harness.polling import until

pytestmark = [pytest.mark.guest, pytest.mark.slow, pytest.mark.timeout(600)]

IDLE = int(os.environ.get("SANDBOX_TEST_IDLE", "12"))
# A supervisor wakes now and then to check its record, and once when its starter leaves.
FEW_WAKES = 3
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


def test_sixty_four_containers_run_at_once(engine: Sandbox) -> None:
    commands = [["run", "--rm", "host", "echo", str(number)] for number in range(64)]
    assert _all(engine, commands) == [(0, f"{number}\n".encode(), b"") for number in range(64)]
    assert engine.ok("ps", "-aq") == ""
    assert "whole" in engine.ok("system", "fsck")


def test_a_hundred_execs_run_at_once(engine: Sandbox) -> None:
    server(engine, "srv")
    commands = [["exec", "srv", "sh", "-c", f"echo {n}; exit {n % 5}"] for n in range(100)]
    assert _all(engine, commands) == [(n % 5, f"{n}\n".encode(), b"") for n in range(100)]
    until(lambda: len(engine.ok("top", "srv").splitlines()) == 2)


def _kilobytes(pid: int, file: str, key: str) -> int:
    text = pathlib.Path(f"/proc/{pid}/{file}").read_text()
    return int(text.partition(f"{key}:")[2].split()[0])


def _wakes(pid: int) -> int:
    """Return how often a process has woken up from a wait."""
    text = pathlib.Path(f"/proc/{pid}/status").read_text()
    return int(text.partition("\nvoluntary_ctxt_switches:")[2].split()[0])


def _wakes_of_four_seconds(pids: list[int]) -> list[int]:
    before = [_wakes(pid) for pid in pids]
    time.sleep(4)
    return [after - earlier for after, earlier in zip(map(_wakes, pids), before, strict=True)]


def test_supervisors_of_idle_containers_need_little_memory_and_rarely_wake(engine: Sandbox) -> None:
    for number in range(IDLE):
        engine.ok("run", "-d", "--name", f"idle{number}", "host", "sleep", "1000")
    keepers = [record(engine, f"idle{number}")["keeper"] for number in range(IDLE)]
    resident = [_kilobytes(pid, "status", "VmRSS") for pid in keepers]
    private = [_kilobytes(pid, "smaps_rollup", "Private_Dirty") for pid in keepers]
    assert max(resident) < 25 << 10
    assert max(private) < 13 << 10
    # On a busy machine they also wait for the disk, so the quietest window counts.
    windows = (_wakes_of_four_seconds(keepers) for _ in range(5))
    woken = next((found for found in windows if max(found) <= FEW_WAKES), None)
    assert woken is not None
    print(f"\n{IDLE} idle: woken {sum(woken)} times, {max(resident)} KiB, own {max(private)} KiB")


def test_all_processes_are_found_when_there_are_many(
    engine: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    script = "sleep 1000 & sleep 1000 & sleep 1000 & echo up; wait"
    server(engine, "srv", script=script)
    control = f"{record(engine, 'srv')['runDir']}/control"
    until(lambda: len(process_table.processes(control)) == 4)
    monkeypatch.setattr(process_table, "_FEW_PIDS", 2)
    assert len(process_table.processes(control)) == 4


def _through(engine: Sandbox, *arguments: str) -> float:
    """Send random bytes through `cat`, which must return them; return the rate in MB/s."""
    block = os.urandom(1 << 20)
    begun = time.monotonic()
    process = subprocess.Popen(
        engine.argv(*arguments, "cat"),
        env=engine.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        bufsize=0,
    )
    assert process.stdin is not None
    assert process.stdout is not None

    def feed() -> None:
        assert process.stdin is not None
        with process.stdin as pipe:
            for _ in range(MEGABYTES):
                rest = memoryview(block)
                while rest:
                    rest = rest[pipe.write(rest) :]

    feeder = threading.Thread(target=feed)
    feeder.start()
    received = 0
    wanted = block * 2
    with process.stdout as pipe:
        while piece := pipe.read(1 << 20):
            at = received % len(block)
            assert wanted[at : at + len(piece)] == piece
            received += len(piece)
    feeder.join()
    assert process.wait() == 0
    assert received == MEGABYTES * len(block)
    return MEGABYTES / (time.monotonic() - begun)


def test_much_data_passes_unchanged(engine: Sandbox) -> None:
    server(engine, "srv")
    rates = {
        "run --rm -i": _through(engine, "run", "--rm", "-i", "host"),
        "run -i, by a supervisor": _through(engine, "run", "-i", "--log-driver", "none", "host"),
        "exec -i": _through(engine, "exec", "-i", "srv"),
    }
    print("", *(f"{name}: {rate:.0f} MB/s" for name, rate in rates.items()), sep="\n")
