# SPDX-License-Identifier: MIT
"""Measure everyday commands, without the start of the tool that runs them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from bench.measure import CLOCK, Row, Work, timed_work
from bench.tree import real_sources
from bench.ways import NAMES

if TYPE_CHECKING:
    from bench.lab import Cell

IMPORTS = "import asyncio, email.message, http.client, json, sqlite3, unittest, xml.dom.minidom"
TREES = "usr/share usr/lib/python3.11"

# GNU hello and lua are built. QUICK=1, or a machine without their sources, uses stand-ins.
BUILT = (
    "rm -rf {root}/bench/work/built; mkdir {root}/bench/work/built; cd {root}/bench/work/built; "
    "$timed {root}/bench/%s"
)
if real_sources():
    MAKE = timed_work(
        Row("make", "make -j2 of lua", ratio_limit=1.05),
        1,
        "cd {root}/bench/lua; $timed make -s -j2 linux; make -s clean",
    )
    CONFIGURE = timed_work(
        Row("configure", "./configure of GNU hello", ratio_limit=1.15),
        1,
        BUILT % "hello/configure",
    )
else:
    MAKE = timed_work(
        Row("make", "make -j2 of a C project", ratio_limit=1.05),
        1,
        "cd {root}/bench/project; for i in 1 2; do $timed make -s -j2; make -s clean; done",
    )
    CONFIGURE = timed_work(
        Row("configure", "./configure of a C project", ratio_limit=1.15),
        1,
        BUILT % "configure/configure",
    )

WORKS: tuple[Work, ...] = (
    timed_work(
        Row("python", "python start with imports", ratio_limit=1.1),
        5,
        f"$timed python3 -c '{IMPORTS}'",
    ),
    timed_work(Row("find", "find /", ratio_limit=1), 5, "cd {root}/; $timed find . -xdev"),
    timed_work(
        Row("ps", "what ps reads of 1,000 processes"),
        5,
        "i=0; while [ $i -lt 1000 ]; do sleep 1000 & i=$((i+1)); done; "
        "$timed sh -c 'cat /proc/[0-9]*/stat /proc/[0-9]*/status 2>&1 || :'; kill $(jobs -p)",
    ),
    timed_work(Row("tar", "tar of a tree"), 3, f"cd {{root}}/; $timed tar -cf - {TREES}"),
    MAKE,
    CONFIGURE,
    timed_work(
        Row("node", "node start", ratio_limit=1.15),
        5,
        "$timed node -p process.version",
        inside_only=True,
    ),
    timed_work(
        Row("java", "Java start", ratio_limit=1.15),
        5,
        "$timed /usr/lib/jvm/java-17-openjdk-*/bin/java --version",
        inside_only=True,
    ),
    timed_work(
        Row("git-status", "git status", ratio_limit=1.1),
        10,
        # A copied tree has new inode numbers, so the first status reads every file again.
        "cd {root}/bench/repo; git status -s; $timed git status -s",
    ),
    timed_work(
        Row("dpkg", "install a package, dpkg -i", ratio_limit=1.2),
        1,
        "cd /bench/debs; for i in 1 2 3; do $timed dpkg -i hello.deb; dpkg --purge hello; done",
        inside_only=True,
    ),
    timed_work(
        Row("dpkg-ten", "install ten packages, dpkg -i", ratio_limit=1.2),
        1,
        "cd /bench/debs/ten; "
        "for i in 1 2; do $timed dpkg -i *.deb; dpkg --purge $(cat names); done",
        inside_only=True,
    ),
)
CELLS = [pytest.param(work, work.rows[0], id=work.rows[0].key) for work in WORKS]


@pytest.mark.benchmark(timer=CLOCK.read)
@pytest.mark.parametrize("way", NAMES)
@pytest.mark.parametrize(("work", "row"), CELLS)
def test_command(cell: Cell, work: Work, row: Row, way: str) -> None:
    """Measure all ways once; then report this cell."""
    cell.report(work, row, way)
