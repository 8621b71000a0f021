# SPDX-License-Identifier: MIT
"""`make bench`: what the tests share, and what is printed and kept at the end.

QUICK=1 does fewer rounds of less work and keeps nothing. BENCH_DIR names a place for the trees, and
so the file system to measure on; see bench.tree.default_place for the one that is taken otherwise.
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
    """A cell that has no figure says why; pytest-benchmark need not add that it was not used."""
    for item in items:
        item.add_marker(pytest.mark.filterwarnings("ignore:Benchmark fixture was not used"))


def pytest_configure(config: pytest.Config) -> None:
    """Refuse root, whose ways in are others; say where results are kept."""
    if os.geteuid() == 0:
        pytest.exit("root may not run guests: use `make bench`", returncode=4)
    if not QUICK:
        RESULTS.mkdir(exist_ok=True)
        config.option.benchmark_json = str(RESULTS / f"{report.slug(report.machine())}.json")


@pytest.fixture(scope="session")
def lab(request: pytest.FixtureRequest) -> Iterator[Lab]:
    """The tree and the ways into it; the trees are gone afterwards, the figures stay."""
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
    """The program that times a command, for the host."""
    compile_programs(lab.folder / "bin", "-static")
    return lab.folder / "bin" / "timed"


@pytest.fixture
def cell(lab: Lab, benchmark: Any) -> Cell:
    """Reports one figure."""
    return Cell(lab, benchmark)


def pytest_benchmark_generate_machine_info() -> dict[str, object]:
    """Keep what matters and no host name."""
    return report.machine()


def pytest_benchmark_generate_commit_info() -> dict[str, object]:
    """Name the commit even where the tree is a copy without git."""
    return {"id": report.commit()}


def pytest_benchmark_update_json(config: pytest.Config, output_json: dict[str, Any]) -> None:
    """Leave out what every benchmark repeats; write table and picture beside the JSON."""
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
