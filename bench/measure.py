# SPDX-License-Identifier: MIT
"""Measure a piece of work in interleaved rounds: every way in turn, then the next round.

Ratios are taken within a round, so a machine that is slow for a minute slows all ways. The first
round fills caches and does not count. Programs inside take the times (programs/calls.c, timed.c),
so the start of a tool only counts where it is the figure.

Does not know: pytest, or how results are shown.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from bench.ways import Way

QUICK = os.environ.get("QUICK", "") not in ("", "0")

# A different amount of output means different work, such as a listing that misses files.
SAME_OUTPUT = 0.02

OURS = ("native", "sandbox")

# The reason why a way that stays in the host's own root has no figure.
INSIDE_ONLY = "only with the tree as root"


class WorkError(Exception):
    """A way failed to do the work."""


@dataclass(frozen=True)
class Sample:
    """One measurement. Figures that a program does not report are zero."""

    seconds: float
    cpu_seconds: float = 0.0
    memory_kib: int = 0
    output_bytes: int = 0


@dataclass(frozen=True)
class Row:
    """A line of the table: the expected ratio, or an expected time for a whole command."""

    key: str
    label: str
    ratio_limit: float | None = None
    seconds_limit: float | None = None


@dataclass(frozen=True)
class Work:
    """The work of a round; *run* returns a sample for each of the rows."""

    rows: tuple[Row, ...]
    run: Callable[[Way], dict[str, Sample]]
    inside_only: bool = False


@dataclass(frozen=True)
class Effort:
    """How often to measure: *rounds*, or fewer if they take longer than *seconds*.

    After that time peers are no longer measured. Every way gets at least one round, and native
    and sandbox get *least*.
    """

    rounds: int
    seconds: float
    least: int = 5


@dataclass
class Outcome:
    """The samples of one piece of work, by way and by row, one for each round."""

    samples: dict[str, dict[str, list[Sample]]] = field(default_factory=dict)
    failures: dict[str, str] = field(default_factory=dict)

    def add(self, way: str, samples: dict[str, Sample]) -> None:
        """Add the samples of one way in one round."""
        for key, sample in samples.items():
            self.samples.setdefault(way, {}).setdefault(key, []).append(sample)

    def seconds(self, way: str, key: str) -> float:
        """Return the median seconds of the rounds."""
        return statistics.median(s.seconds for s in self.samples[way][key])

    def ratio(self, way: str, key: str) -> float | None:
        """Return the median of the rounds' ratios to native."""
        pairs = self._pairs(way, key)
        return statistics.median(m.seconds / n.seconds for m, n in pairs) if pairs else None

    def cpu_ratio(self, way: str, key: str) -> float | None:
        """Return the same ratio for processor time, if it was measured."""
        pairs = [p for p in self._pairs(way, key) if p[1].cpu_seconds]
        return statistics.median(m.cpu_seconds / n.cpu_seconds for m, n in pairs) if pairs else None

    def _pairs(self, way: str, key: str) -> list[tuple[Sample, Sample]]:
        native = self.samples.get("native", {}).get(key, [])
        return list(
            zip(self.samples[way][key], native, strict=False)
        )  # peers may have fewer rounds


def measure(work: Work, ways: dict[str, Way], effort: Effort) -> Outcome:
    """Run all rounds. A way that fails is left out from then on; its message is kept."""
    outcome = Outcome()
    able = [w for w in ways.values() if w.is_inside or not work.inside_only]
    outcome.failures = {w.name: INSIDE_ONLY for w in ways.values() if w not in able}
    began = time.monotonic()
    for number in range(effort.rounds + 1):
        late = number > 1 and time.monotonic() - began > effort.seconds
        if late and number > effort.least:
            break
        turn = number % len(able) if able else 0
        for way in [*able[turn:], *able[:turn]]:
            if way.name in outcome.failures or (late and way.name not in OURS):
                continue
            try:
                samples = work.run(way)
            except WorkError as exc:
                outcome.failures[way.name] = str(exc)
                outcome.samples.pop(way.name, None)
                continue
            if number:
                outcome.add(way.name, samples)
    _reject_other_work(outcome)
    return outcome


def _reject_other_work(outcome: Outcome) -> None:
    """Turn a time into a failure if the output differs from native's."""
    for way, rows in list(outcome.samples.items()):
        for key in rows:
            mine, native = (_output(outcome, name, key) for name in (way, "native"))
            if native and abs(mine - native) > native * SAME_OUTPUT:
                outcome.failures[way] = f"other output: {mine} bytes, native {native}"
                outcome.samples.pop(way)
                break


def _output(outcome: Outcome, way: str, key: str) -> int:
    samples = outcome.samples.get(way, {}).get(key, [])
    return samples[0].output_bytes if samples else 0


def run_inside(way: Way, command: tuple[str, ...]) -> subprocess.CompletedProcess[str]:
    """Run a command inside; it must succeed."""
    try:
        done = way.run(command)
    except subprocess.TimeoutExpired as exc:
        raise WorkError(f"not finished after {exc.timeout:.0f} s") from exc
    if done.returncode:
        lines = [x for x in done.stderr.splitlines() if not x.startswith("timed: ")]
        raise WorkError(f"exit {done.returncode}: {lines[-1] if lines else 'no message'}")
    return done


def loop_samples(way: Way, command: tuple[str, ...], rows: tuple[Row, ...]) -> dict[str, Sample]:
    """Run a program that prints `name nanoseconds` for each row, and return the samples."""
    lines = [line.split() for line in run_inside(way, command).stdout.splitlines()]
    samples = {name: Sample(float(nanoseconds) / 1e9) for name, nanoseconds in lines}
    if set(samples) != {row.key for row in rows}:
        raise WorkError(f"measured only {', '.join(samples)}")
    return samples


def timed_sample(stderr: str) -> Sample:
    """Parse the output of programs/timed.c and return its quickest repetition."""
    lines = [x.split()[1:] for x in stderr.splitlines() if x.startswith("timed: ")]
    if not lines:
        raise WorkError("the timer printed nothing")
    wall, cpu, memory, output = zip(*[[int(word) for word in x] for x in lines], strict=True)
    return Sample(min(wall) / 1e9, min(cpu) / 1e9, max(memory), output[0])


def timed_work(row: Row, count: int, command: str, *, inside_only: bool = False) -> Work:
    """Return the work of a shell script; it times the command after `$timed`."""

    def run(way: Way) -> dict[str, Sample]:
        script = command.replace("$timed", f"{{bin}}/timed {count}")
        return {row.key: timed_sample(run_inside(way, ("/bin/sh", "-euc", script)).stderr)}

    return Work((row,), run, inside_only)


class RecordedClock:
    """A clock for pytest-benchmark's timer that replays times which were measured inside."""

    def __init__(self) -> None:
        self.seconds = 0.0

    def read(self) -> float:
        """Return the time of this clock."""
        return self.seconds

    def replay(self, samples: list[Sample]) -> Callable[[], None]:
        """Return a function that advances this clock by the next sample."""
        remaining = iter(samples)

        def take() -> None:
            self.seconds += next(remaining).seconds

        return take


CLOCK = RecordedClock()
