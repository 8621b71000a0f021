# SPDX-License-Identifier: MIT
"""Measure system calls and whole programs on files that were made inside.

The loops of calls are in programs/own.c. Every way confines itself by Landlock there, so the rows
of `open` compare equals. A run of programs lays its tree out once, without the clock: a clone of
the image's repository, in the container's own files, in a bind and in a volume. What a program
leaves is removed before the next.
"""

from __future__ import annotations

import dataclasses
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from bench.measure import (
    CLOCK,
    QUICK,
    Row,
    Sample,
    Work,
    WorkError,
    loop_samples,
    run_inside,
    timed_sample,
)
from bench.tree import ROOT, compile_programs, write_repository
from bench.ways import IMAGE, NAMES, Way

if TYPE_CHECKING:
    from bench.lab import Cell

ROWS = (
    Row("own-lstat-path", "own files: lstat, whole path", ratio_limit=1.1),
    Row("own-lstat-name", "own files: lstat, name", ratio_limit=1.1),
    Row("own-lstat-deep", "own files: lstat, two folders down", ratio_limit=1.1),
    Row("own-lstat-at", "own files: fstatat", ratio_limit=1.1),
    Row("own-missing", "own files: lstat of a missing name", ratio_limit=1),
    Row("own-access", "own files: access", ratio_limit=1.1),
    Row("own-open-path", "own files: open + close, whole path", ratio_limit=1.15),
    Row("own-open-name", "own files: open + close, name", ratio_limit=1.15),
    Row("own-open-read", "own files: open, fstat, read, close", ratio_limit=1.15),
    Row("own-chmod", "own files: chmod", ratio_limit=1.4),
    Row("own-utimens", "own files: utimensat", ratio_limit=1.4),
    Row("own-chown", "own files: lchown to oneself", ratio_limit=1.4),
    Row("own-link", "own files: link + unlink", ratio_limit=1.5),
    Row("own-symlink", "own files: symlink + unlink", ratio_limit=1.5),
    Row("own-mkdir", "own files: mkdir + rmdir", ratio_limit=1.5),
    Row("own-readlink", "own files: readlink", ratio_limit=1.2),
    Row("own-list", "own files: list 200", ratio_limit=1.2),
)
BATCHES = "5" if QUICK else "20"


def run_own(way: Way) -> dict[str, Sample]:
    """Run all loops once; the sample of each is its quickest batch."""
    if way.programs != "bin":
        raise WorkError("its library does not carry the loops")
    return loop_samples(way, ("{bin}/own", "{root}/bench/work", BATCHES), ROWS)


OWN = Work(ROWS, run_own)


@pytest.mark.benchmark(timer=CLOCK.read)
@pytest.mark.parametrize("way", NAMES)
@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.key)
def test_own_files(cell: Cell, row: Row, way: str) -> None:
    """Measure all rows once; then report this cell."""
    cell.report(OWN, row, way)


# ---- whole programs ---------------------------------------------------------------------

# key, label, aim, script: $t times the command behind it. It starts beside src/, the clone.
STEPS = (
    ("status", "git status", 1.2, "git -C src status -s; $t git -C src status -s"),
    (
        "add",
        "git add + commit",
        1.3,
        "mkdir new; cp -r src/folder* new; git -C new init -q; "
        "$t sh -c 'git -C new add . && git -C new -c gc.auto=0 commit -q -m all'; rm -rf new",
    ),
    ("checkout", "git checkout", 1.3, "rm -rf src/folder*; $t git -C src checkout -q ."),
    ("clone", "git clone", 1.4, "$t git clone -q src copy; rm -rf copy"),
    ("find", "find", 1.25, "$t find src/"),
    ("du", "du", 1.25, "$t du src"),
    ("grep", "grep -r", 1.25, "$t sh -c 'grep -r nowhere src; true'"),
    ("diff", "diff -r", 1.25, "cp -r src copy; $t diff -r src copy; rm -rf copy"),
    ("tar-c", "tar c", 1.25, "$t tar -cf - src"),
    ("cp-a", "cp -a", 1.4, "$t cp -a src copy; rm -rf copy"),
    ("cp-al", "cp -al", 1.4, "$t cp -al src copy; rm -rf copy"),
    (
        "tar-x",
        "tar x",
        1.4,
        "tar -cf all.tar src; mkdir out; $t tar -xf all.tar -C out; rm -rf out all.tar",
    ),
    ("rm", "rm -rf", 1.4, "cp -a src copy; $t rm -rf copy"),
    ("chmod", "chmod -R", 1.4, "$t chmod -R g-w,o-w src"),
    ("ls", "ls -lR", 1.4, "$t ls -lR src"),
    (
        "make",
        "make clean + make",
        1.15,
        "cp -r {root}/bench/own-project project; "
        "$t sh -c 'make -s -C project clean && make -s -C project'; rm -rf project",
    ),
)
PLACES = (("own", "own tree", "work"), ("bind", "bind", "bound"), ("volume", "volume", "volume"))
TIMES = 2 if QUICK else 3
FILES = 500 if QUICK else 3000


def script_of(place: str) -> str:
    """Return the shell script of all steps; before each it writes the step's key."""
    lines = [
        f"cd {{root}}/bench/{place}; rm -rf works; mkdir works; cd works",
        "export GIT_AUTHOR_NAME=b GIT_AUTHOR_EMAIL=b@c",
        "export GIT_COMMITTER_NAME=b GIT_COMMITTER_EMAIL=b@c",
        "git clone -q {root}/bench/repo src",
        "t='{bin}/timed 1'",
    ]
    for key, _, _, script in STEPS:
        lines.append(f"for i in {' '.join('.' * TIMES)}; do echo step {key} >&2; {script}; done")
    lines.append("cd ..; rm -rf works")
    return "\n".join(lines)


def with_mounts(way: Way, scratch: Path) -> Way:
    """Return sandbox with a bind and a volume where natively there are plain folders."""
    if way.name != "sandbox":
        return way
    bound = scratch / "bound"
    bound.mkdir(parents=True, exist_ok=True)
    mounts = ("-v", f"{bound}:/bench/bound", "-v", "bench-works:/bench/volume")
    assert way.prefix[-1] == IMAGE
    return dataclasses.replace(way, prefix=(*way.prefix[:-1], *mounts, IMAGE))


def samples_of(stderr: str, prefix: str) -> dict[str, Sample]:
    """Return the quickest sample of each step."""
    lines: dict[str, list[str]] = {}
    step = ""
    for line in stderr.splitlines():
        if line.startswith("step "):
            step = line.split()[1]
        elif line.startswith("timed: "):
            lines.setdefault(step, []).append(line)
    if set(lines) != {key for key, *_ in STEPS}:
        raise WorkError(f"measured only {', '.join(lines)}")
    return {f"{prefix}-{key}": timed_sample("\n".join(found)) for key, found in lines.items()}


def works_in(prefix: str, label: str, place: str) -> Work:
    """Return the work of all steps in one place."""
    rows = tuple(
        Row(f"{prefix}-{key}", f"{label}: {name}", ratio_limit=aim) for key, name, aim, _ in STEPS
    )

    def run(way: Way) -> dict[str, Sample]:
        if way.programs != "bin":
            raise WorkError("its library does not carry the timer")
        scratch = Path(way.environ.get("SANDBOX_ROOT", "/")).parent / "works"
        inside = with_mounts(way, scratch)
        done = run_inside(inside, ("/bin/sh", "-euc", script_of(place)))
        return samples_of(done.stderr, prefix)

    return Work(rows, run)


WORKS = tuple(works_in(*place) for place in PLACES)
CELLS = [pytest.param(work, row, id=row.key) for work in WORKS for row in work.rows]


@pytest.mark.benchmark(timer=CLOCK.read)
@pytest.mark.parametrize("way", NAMES)
@pytest.mark.parametrize(("work", "row"), CELLS)
def test_own_works(cell: Cell, work: Work, row: Row, way: str) -> None:
    """Measure all rows of a place once; then report this cell."""
    cell.report(work, row, way)


# ---- the machine's own files, image `host` ---------------------------------------------------

HOST_ROWS = (
    Row("host-ls", "image host: ls -lR /usr/share/doc", ratio_limit=1.4),
    Row("host-status", "image host: git status of a work tree", ratio_limit=1.4),
)


def run_host(way: Way) -> dict[str, Sample]:
    """Run both on the machine itself, and in a container of it."""
    if way.name not in ("native", "sandbox"):
        raise WorkError("only the machine's own files")
    prefix = (*way.prefix[:-1], "host") if way.name == "sandbox" else ()
    here = dataclasses.replace(way, prefix=prefix, root="")
    with tempfile.TemporaryDirectory(dir=ROOT / "build") as folder:
        compile_programs(Path(folder), "-static")
        write_repository(Path(folder) / "repo", FILES)
        timed = f"{folder}/timed {TIMES + 1}"
        commands = (f"{timed} ls -lR /usr/share/doc", f"{timed} git -C {folder}/repo status -s")
        return {
            row.key: timed_sample(run_inside(here, ("/bin/sh", "-euc", command)).stderr)
            for row, command in zip(HOST_ROWS, commands, strict=True)
        }


HOST = Work(HOST_ROWS, run_host)


@pytest.mark.benchmark(timer=CLOCK.read)
@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
@pytest.mark.parametrize("way", NAMES)
@pytest.mark.parametrize("row", HOST_ROWS, ids=lambda row: row.key)
def test_host_image(cell: Cell, row: Row, way: str) -> None:
    """Measure both rows once; then report this cell."""
    cell.report(HOST, row, way)
