# SPDX-License-Identifier: MIT
"""Fixtures and report of `make bench`.

QUICK=1 runs fewer rounds of less work and keeps no results. BENCH_DIR names the folder for the
trees, and so the file system to measure on; bench.tree.default_place chooses it otherwise.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from bench import plot, report
from bench.lab import Cell, Lab
from bench.measure import QUICK, Effort
from bench.tree import PreparationError, Size, compile_programs, default_place, lay_out
from bench.ways import find_ways

EFFORT = Effort(rounds=3, seconds=6) if QUICK else Effort(rounds=9, seconds=20)
SIZE = Size(sources=8, tracked_files=500, checks=20) if QUICK else Size()
RESULTS = Path(__file__).parent / "results"
LAB = pytest.StashKey[Lab]()


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Silence pytest-benchmark's warning about tests without a figure, which report the reason."""
    for item in items:
        item.add_marker(pytest.mark.filterwarnings("ignore:Benchmark fixture was not used"))


def pytest_configure(config: pytest.Config) -> None:
    """Refuse to run as root, and set the file of the results."""
    if os.geteuid() == 0:
        pytest.exit("root may not run guests: use `make bench`", returncode=4)
    if not QUICK:
        RESULTS.mkdir(exist_ok=True)
        config.option.benchmark_json = str(RESULTS / f"{report.slug(report.machine())}.json")


@pytest.fixture(scope="session")
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """Return the lab with the tree and the ways into it; the trees are removed at the end."""
    place = Path(os.environ.get("BENCH_DIR") or default_place())
    folder = place / f"sandbox-bench-{os.getuid()}"
    try:
        lay_out(folder, SIZE)
    except PreparationError as exc:
        pytest.exit(f"make bench: {exc}", returncode=4)
    load = os.getloadavg()[0]
    here, missing = find_ways(folder)
    made = Lab(folder, EFFORT, here, missing, load)
    request.config.stash[LAB] = made
    yield made
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(scope="session")
def timer(lab: Lab) -> Path:
    """Return the program that times a command on the host."""
    compile_programs(lab.folder / "bin", "-static")
    return lab.folder / "bin" / "timed"


@pytest.fixture
def cell(lab: Lab, benchmark: Any) -> Cell:
    """Return the object that reports one figure."""
    return Cell(lab, benchmark)


def pytest_benchmark_generate_machine_info() -> dict[str, object]:
    """Return the facts about the machine that matter, without its host name."""
    return report.machine()


def pytest_benchmark_generate_commit_info() -> dict[str, object]:
    """Return the commit, also for a copy of the tree without git."""
    return {"id": report.commit()}


def pytest_benchmark_update_json(config: pytest.Config, output_json: dict[str, Any]) -> None:
    """Drop fields that every benchmark repeats; write the table and the chart beside the JSON."""
    for entry in output_json["benchmarks"]:
        del entry["options"], entry["params"]
    lab = config.stash[LAB]
    output_json["load_at_start"] = lab.load
    date = output_json["datetime"][:10]
    facts = report.machine()
    target = Path(config.option.benchmark_json)
    target.with_suffix(".md").write_text(report.markdown(lab, date))
    subtitle = f"{facts['model']}, Linux {facts['kernel']}, {date}"
    plot.draw(lab, target.with_suffix(".svg"), subtitle)


def pytest_terminal_summary(terminalreporter: Any, config: pytest.Config) -> None:
    """Print the table."""
    lab = config.stash.get(LAB, None)
    if lab is None:
        return
    terminalreporter.section("times; native, then ratios to native")
    terminalreporter.write_line(report.table(lab))
    for note in lab.notes():
        terminalreporter.write_line(f"- {note}")
