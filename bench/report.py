# SPDX-License-Identifier: MIT
"""The table in Markdown that is also readable in a terminal, and facts about the machine.

Does not know: how anything was measured.
"""

from __future__ import annotations

import os
import platform
import re
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

from bench.ways import NAMES

if TYPE_CHECKING:
    from bench.lab import Lab
    from bench.measure import Outcome, Row

ROOT = Path(__file__).resolve().parents[1]
# Ways with a tracer or a server outside, whose work is not in the program's processor time.
HELPED = ("proot", "fakechroot")
UNITS = ((1.0, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns"))


def machine() -> dict[str, object]:
    """Return the facts that make figures comparable, without any name of the machine."""
    text = Path("/proc/cpuinfo").read_text()
    models = re.findall(r"(?m)^model name\s*:\s*(.*)$", text)
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "model": models[0] if models else platform.machine(),
        "processors": len(os.sched_getaffinity(0)),
        "memory_gib": round(memory / 2**30),
        "kernel": platform.release().partition("-")[0],
        "machine": platform.machine(),
        "system": platform.system(),
        "python_version": platform.python_version(),
    }


def slug(facts: dict[str, object]) -> str:
    """Return the name of the files that hold this machine's results.

    >>> slug({"model": "AMD EPYC 9B14", "processors": 2})
    'amd-epyc-9b14-2cpu'
    """
    words = re.sub(r"\((R|TM)\)|CPU|Processor|@.*", "", str(facts["model"])).lower()
    return re.sub(r"[^a-z0-9]+", "-", words).strip("-") + f"-{facts['processors']}cpu"


def commit() -> str:
    """Return the commit that is measured, from SANDBOX_COMMIT or from git."""
    given = os.environ.get("SANDBOX_COMMIT")
    if given:
        return given
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=12"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def duration(seconds: float) -> str:
    """Return a time with three digits and its unit.

    >>> duration(0.00000123), duration(0.5), duration(12.34)
    ('1.23 µs', '500 ms', '12.3 s')
    """
    factor, unit = next((u for u in UNITS if seconds >= u[0]), UNITS[-1])
    value = seconds / factor
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:.{digits}f} {unit}"


def ratio(value: float) -> str:
    """Return a ratio with its significant digits.

    >>> ratio(1.034), ratio(12.34), ratio(123.4)
    ('1.03×', '12.3×', '123×')
    """
    digits = 0 if value >= 100 else 1 if value >= 10 else 2
    return f"{value:.{digits}f}×"


def table(lab: Lab) -> str:
    """Return the table: native's time, and the ratio and time of each other way."""
    used = [name for name in NAMES if any(name in o.samples for _, o in lab.rows())]
    lines = [["work", *used, "limit"]]
    for row, outcome in lab.rows():
        lines.append([row.label, *(cell(row, outcome, name) for name in used), limit(row, outcome)])
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    rule = ["-" * widths[0], *("-" * (width - 1) + ":" for width in widths[1:])]
    return "\n".join(
        f"| {' | '.join(_aligned(line, widths))} |" for line in [lines[0], rule, *lines[1:]]
    )


def _aligned(line: list[str], widths: list[int]) -> list[str]:
    head, *rest = zip(line, widths, strict=True)
    return [head[0].ljust(head[1]), *(text.rjust(width) for text, width in rest)]


def cell(row: Row, outcome: Outcome, way: str) -> str:
    """Return one cell, or a dash if there is no figure."""
    if row.key not in outcome.samples.get(way, {}):
        return "–"
    taken = duration(outcome.seconds(way, row.key))
    factor = outcome.ratio(way, row.key)
    if way == "native" or factor is None or row.seconds_limit is not None:
        return taken
    cpu = None if way in HELPED else outcome.cpu_ratio(way, row.key)
    return f"{ratio(factor)}{'' if cpu is None else f' cpu {ratio(cpu)}'} ({taken})"


def limit(row: Row, outcome: Outcome) -> str:
    """Return the limit that sandbox should meet, marked if it is missed."""
    mine = outcome.samples.get("sandbox", {}).get(row.key)
    if row.seconds_limit is not None:
        missed = mine and outcome.seconds("sandbox", row.key) > row.seconds_limit
        return f"≤ {duration(row.seconds_limit)}{' missed' if missed else ''}"
    if row.ratio_limit is not None:
        factor = outcome.ratio("sandbox", row.key) if mine else None
        missed = factor is not None and factor > row.ratio_limit
        return f"≤ {row.ratio_limit:g}×{' missed' if missed else ''}"
    return ""


def markdown(lab: Lab, date: str) -> str:
    """Return the page that is kept under results/."""
    facts = machine()
    about = (
        f"{facts['model']}, {facts['processors']} processors, {facts['memory_gib']} GiB, "
        f"Linux {facts['kernel']}; {date}, commit {commit()}; "
        f"load {lab.load:.1f} at the start, nice {os.nice(0)}. "
        "Medians of interleaved rounds; see [how to read it](../README.md)."
    )
    notes = "".join(f"- {note}\n" for note in lab.notes())
    return f"{about}\n\n{table(lab)}\n" + (f"\n{notes}" if notes else "")
