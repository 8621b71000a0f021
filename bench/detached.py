# SPDX-License-Identifier: MIT
"""Measure detached containers: the time of an exec, memory and CPU time of idle containers.

    python -m bench.detached 200 60     200 containers, watched for 60 seconds

The kernel's figures of the supervisors are used: their memory, CPU time and wake-ups.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bench.network import print_line

COMMAND = Path(sys.executable).with_name("sandbox")


@dataclass(frozen=True)
class Idle:
    """What *count* supervisors used together in *seconds*; memory is the largest one's, in KiB."""

    count: int
    seconds: float
    cpu_seconds: float
    wakes: int
    resident: int
    private: int

    def __str__(self) -> str:
        """Return one line for people."""
        return (
            f"{self.count} idle containers: {self.cpu_seconds / self.seconds:.2%} of a CPU and "
            f"{self.wakes} wake-ups in {self.seconds:.0f} s together; a supervisor holds "
            f"{self.resident / 1024:.1f} MiB, {self.private / 1024:.1f} of them its own"
        )


class Host:
    """Containers of the image `host` in their own store."""

    def __init__(self, store: Path) -> None:
        self.store = store
        self._environ = {k: v for k, v in os.environ.items() if not k.startswith("SANDBOX_")}
        self._environ["SANDBOX_ROOT"] = str(store)

    def run(self, *words: str) -> None:
        """Run `sandbox` with these words; it must succeed."""
        subprocess.run(
            [str(COMMAND), *words],
            env=self._environ,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            check=True,
        )

    @contextmanager
    def sleepers(self, count: int) -> Iterator[list[int]]:
        """Start containers c0, c1, …; yield the pids of their supervisors; remove them."""
        names = [f"c{number}" for number in range(count)]
        try:
            for name in names:
                self.run("run", "-d", "--name", name, "host", "sleep", "100000")
            states = (self.store / "containers").glob("*/state.json")
            yield [json.loads(path.read_bytes())["keeper"] for path in states]
        finally:
            self.run("rm", "-f", *names)


def exec_times(host: Host, name: str, rounds: int) -> list[float]:
    """Return the seconds of the whole command `exec NAME true`, for each round."""
    times = []
    for _ in range(rounds + 1):
        began = time.perf_counter()
        host.run("exec", name, "true")
        times.append(time.perf_counter() - began)
    return times[1:]  # the first one fills caches


def watch(keepers: list[int], seconds: float) -> Idle:
    """Watch idle supervisors for some seconds."""
    before = [_activity(pid) for pid in keepers]
    began = time.monotonic()
    time.sleep(seconds)
    passed = time.monotonic() - began
    after = [_activity(pid) for pid in keepers]
    return Idle(
        count=len(keepers),
        seconds=passed,
        cpu_seconds=sum(new[0] - old[0] for new, old in zip(after, before, strict=True)),
        wakes=sum(new[1] - old[1] for new, old in zip(after, before, strict=True)),
        resident=max(_field(pid, "status", "VmRSS") for pid in keepers),
        private=max(_field(pid, "smaps_rollup", "Private_Dirty") for pid in keepers),
    )


def _activity(pid: int) -> tuple[float, int]:
    """Return (seconds on a CPU, wake-ups)."""
    spent = int(Path(f"/proc/{pid}/schedstat").read_text().split()[0]) / 1e9
    return spent, _field(pid, "status", "\nvoluntary_ctxt_switches")


def _field(pid: int, name: str, key: str) -> int:
    text = Path(f"/proc/{pid}/{name}").read_text()
    return int(text.partition(f"{key}:")[2].split()[0])


def main() -> None:
    """Print the figures."""
    count, seconds = int(sys.argv[1]), float(sys.argv[2])
    with tempfile.TemporaryDirectory() as folder:
        host = Host(Path(folder) / "store")
        with host.sleepers(count) as keepers:
            print_line(str(watch(keepers, seconds)))
            median = statistics.median(exec_times(host, "c0", 9))
            print_line(f"exec of true, whole command: {median * 1000:.0f} ms")


if __name__ == "__main__":
    main()
