# SPDX-License-Identifier: MIT
"""Measure time and disk space of a build, beside buildah, which needs root.

    python -m bench.builds ROOTFS.tar [ROUNDS [FOLDER]]

Run by root, it measures sandbox as the user nobody without capabilities, and buildah with the
drivers overlay and vfs. Run by another user, it leaves buildah out. Every builder builds the same
Dockerfile on the same root file system: first without a cache, then again unchanged.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
DOCKERFILE = """\
FROM base
WORKDIR /work
COPY tree /work/tree
RUN true
RUN cp -r tree copy && rm -r tree/d0
RUN find / -xdev > /work/names
CMD ["true"]
"""
_NOBODY = 65534


@dataclass(frozen=True)
class Way:
    """One builder: its command line and its store."""

    name: str
    command: tuple[str, ...]
    store: Path
    environ: dict[str, str]
    importing: tuple[str, ...] = ()
    build: tuple[str, ...] = ("build",)
    fresh: tuple[str, ...] = ("--no-cache",)


@dataclass
class Figures:
    """Seconds of each round, and bytes of the store at the end."""

    first: list[float] = field(default_factory=list)
    second: list[float] = field(default_factory=list)
    step: list[float] = field(default_factory=list)
    run: list[float] = field(default_factory=list)
    room: int = 0


def ways(folder: Path, rootfs: Path) -> Iterator[Way]:
    """Yield the builders that can run here."""
    python = (sys.executable, "-m", "sandbox")
    drop: tuple[str, ...] = ()
    if os.geteuid() == 0:
        drop = (
            "setpriv", f"--reuid={_NOBODY}", f"--regid={_NOBODY}", "--clear-groups",
            "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs",
        )  # fmt: skip
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "SANDBOX_ROOT": str(folder / "sandbox"),
        "PYTHONPATH": os.pathsep.join([str(ROOT), *sys.path]),
    }
    importing = ("import", str(rootfs), "base")
    yield Way("sandbox", (*drop, *python), folder / "sandbox", environ, importing)
    if os.geteuid() != 0 or shutil.which("buildah") is None:
        return
    for driver in ("overlay", "vfs"):
        store = folder / driver
        command = (
            "buildah", "--root", str(store / "root"), "--runroot", str(store / "run"),
            "--storage-driver", driver,
        )  # fmt: skip
        yield Way(
            f"buildah {driver}", command, store, dict(os.environ),
            build=("bud", "--isolation=chroot", "--layers"), fresh=("--no-cache",),
        )  # fmt: skip


def _timed(way: Way, *arguments: str) -> float:
    start = time.monotonic()
    done = subprocess.run(
        [*way.command, *arguments], env=way.environ, capture_output=True, text=True, check=False
    )
    if done.returncode:
        raise SystemExit(f"{way.name}: {done.stderr[-2000:]}")
    return time.monotonic() - start


def prepare(folder: Path) -> Path:
    """Write the build context."""
    context = folder / "context"
    for number in range(20):
        (context / f"tree/d{number}").mkdir(parents=True)
        for file in range(50):
            (context / f"tree/d{number}/f{file}").write_bytes(os.urandom(4096))
    (context / "Dockerfile").write_text(DOCKERFILE)
    (context / "Step").write_text("FROM base\nRUN true\n")
    return context


def measure(folder: Path, rootfs: Path, rounds: int) -> dict[str, Figures]:
    """Build with every builder in turn."""
    context = prepare(folder)
    if os.geteuid() == 0:
        subprocess.run(["chown", "-R", str(_NOBODY), str(folder)], check=True)
    found: dict[str, Figures] = {}
    for way in ways(folder, rootfs):
        figures = found[way.name] = Figures()
        _import(way, rootfs, folder)
        for _ in range(rounds):
            figures.first.append(_timed(way, *way.build, *way.fresh, "-t", "made", str(context)))
            figures.second.append(_timed(way, *way.build, "-t", "made", str(context)))
            step = ("-f", str(context / "Step"), str(context))
            figures.step.append(_timed(way, *way.build, *way.fresh, *step))
            if way.importing:
                figures.run.append(_timed(way, "run", "--rm", "base", "true"))
        done = subprocess.run(
            ["du", "-s", "-B1", str(way.store)], capture_output=True, text=True, check=True
        )
        figures.room = int(done.stdout.split()[0])
    return found


def _import(way: Way, rootfs: Path, folder: Path) -> None:
    if way.importing:
        _timed(way, *way.importing)
        _timed(way, "run", "--rm", "base", "true")
        return
    base = folder / f"base-{way.store.name}"
    base.mkdir()
    shutil.copy(rootfs, base / "rootfs.tar")
    (base / "Dockerfile").write_text("FROM scratch\nADD rootfs.tar /\n")
    _timed(way, "bud", "--isolation=chroot", "-t", "base", str(base))


def summary(found: dict[str, Figures]) -> str:
    """Return the table."""
    lines = [
        "| way | build, nothing remembered | again, unchanged | `RUN true` alone"
        " | `run` of the same | room in the store |"
    ]
    lines.append("|---|--:|--:|--:|--:|--:|")
    for name, figures in found.items():
        first, second = statistics.median(figures.first), statistics.median(figures.second)
        step = statistics.median(figures.step)
        run = f"{statistics.median(figures.run):.2f} s" if figures.run else "-"
        lines.append(
            f"| {name} | {first:.2f} s | {second:.2f} s | {step:.2f} s | {run}"
            f" | {figures.room >> 20} MiB |"
        )
    return "\n".join(lines)


def main() -> None:
    """Print the table of the builders."""
    rootfs = Path(sys.argv[1]).resolve()
    rounds = int(sys.argv[2]) if len(sys.argv) > 2 else 3
    place = sys.argv[3] if len(sys.argv) > 3 else None
    with tempfile.TemporaryDirectory(dir=place) as name:
        os.chmod(name, 0o755)
        sys.stdout.write(summary(measure(Path(name), rootfs, rounds)) + "\n")


if __name__ == "__main__":
    main()
