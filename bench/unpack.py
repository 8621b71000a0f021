# SPDX-License-Identifier: MIT
"""Measure `sandbox load` beside umoci, and beside skopeo with tar.

Every round runs each tool in turn on the same OCI layout of one gzip layer, in a new folder, and
takes wall time and processor time of the whole command. Then the index of that layer is built.
Nothing is deleted before the end: ext4 without a journal does not reuse inodes for minutes, and
creating files meanwhile takes ten times as long.

    python -m bench.unpack [FILES [MEBIBYTES [ROUNDS [FOLDER]]]]
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import random
import resource
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
_PER_FOLDER = 50


@dataclass(frozen=True)
class Run:
    """The times of one command."""

    seconds: float
    cpu_seconds: float


def make_layout(folder: Path, files: int, size: int) -> Path:
    """Write an OCI layout of one layer with *files* files of *size* bytes together."""
    chance = random.Random(1)
    words = [bytes(chance.choices(b"abcdefghijklmnopqrstuvwxyz \n", k=64)) for _ in range(512)]
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for number in range(files):
            if number % _PER_FOLDER == 0:
                entry = tarfile.TarInfo(f"usr/share/d{number // _PER_FOLDER}")
                entry.type, entry.mode = tarfile.DIRTYPE, 0o755
                archive.addfile(entry)
            entry = tarfile.TarInfo(f"usr/share/d{number // _PER_FOLDER}/file{number}.txt")
            data = b"".join(chance.choices(words, k=max(1, size // files // 64)))
            entry.size, entry.mtime = len(data), 1_700_000_000
            archive.addfile(entry, io.BytesIO(data))
    layout = folder / "layout"
    (layout / "blobs/sha256").mkdir(parents=True)
    (layout / "oci-layout").write_text('{"imageLayoutVersion":"1.0.0"}')
    _write_documents(layout, plain.getvalue())
    return layout


def _write_documents(layout: Path, plain: bytes) -> None:
    kind = "application/vnd.oci.image"

    def put(data: bytes, media: str) -> dict[str, Any]:
        name = hashlib.sha256(data).hexdigest()
        (layout / "blobs/sha256" / name).write_bytes(data)
        return {"mediaType": media, "digest": f"sha256:{name}", "size": len(data)}

    diff_id = f"sha256:{hashlib.sha256(plain).hexdigest()}"
    config = {
        "architecture": "amd64",
        "os": "linux",
        "config": {},
        "rootfs": {"type": "layers", "diff_ids": [diff_id]},
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": f"{kind}.manifest.v1+json",
        "config": put(json.dumps(config).encode(), f"{kind}.config.v1+json"),
        "layers": [put(gzip.compress(plain, 6, mtime=0), f"{kind}.layer.v1.tar+gzip")],
    }
    entry = put(json.dumps(manifest).encode(), f"{kind}.manifest.v1+json")
    entry["annotations"] = {"org.opencontainers.image.ref.name": "1"}
    index = {"schemaVersion": 2, "manifests": [entry]}
    (layout / "index.json").write_text(json.dumps(index))


def _timed(command: list[str], folder: Path, environ: dict[str, str]) -> Run:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    start = time.monotonic()
    subprocess.run(command, cwd=folder, env=environ, check=True, stdout=subprocess.DEVNULL)
    seconds = time.monotonic() - start
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return Run(seconds, cpu)


def contenders(layout: Path) -> dict[str, Callable[[Path], Run]]:
    """Return the tools that are installed; each unpacks into an empty folder."""
    environ = {**os.environ, "PYTHONPATH": str(ROOT)}

    def sandbox(folder: Path) -> Run:
        own = {**environ, "SANDBOX_ROOT": str(folder / "store")}
        return _timed([sys.executable, "-m", "sandbox", "load", "-i", str(layout)], folder, own)

    def umoci(folder: Path) -> Run:
        image = f"{layout}:1"
        return _timed(["umoci", "unpack", "--rootless", "--image", image, "out"], folder, environ)

    def skopeo(folder: Path) -> Run:
        script = (
            'skopeo --insecure-policy copy -q "oci:$0:1" dir:copy && mkdir out && '
            "for blob in copy/*; do case $(head -c 2 $blob | od -An -tx1) in"
            " *1f*8b*) tar -xzf $blob -C out;; esac; done"
        )
        return _timed(["sh", "-c", script, str(layout)], folder, environ)

    found: dict[str, Callable[[Path], Run]] = {"sandbox load": sandbox}
    if shutil.which("umoci"):
        found["umoci unpack"] = umoci
    if shutil.which("skopeo"):
        found["skopeo copy + tar"] = skopeo
    return found


def measure(place: Path, *, files: int, size: int, rounds: int) -> dict[str, list[Run]]:
    """Return the runs of every tool, and those of building the index."""
    with tempfile.TemporaryDirectory(dir=place) as name:
        folder = Path(name)
        layout = make_layout(folder, files, size)
        ways = contenders(layout)
        runs: dict[str, list[Run]] = {way: [] for way in (*ways, "index build")}
        for number in range(rounds):
            for way, run in ways.items():
                inside = folder / f"{number}-{way.split()[0]}"
                inside.mkdir()
                os.sync()
                runs[way].append(run(inside))
                if way == "sandbox load":
                    runs["index build"].append(_build_index(inside / "store"))
    return runs


def _build_index(store: Path) -> Run:
    from sandbox.store.layers import build_index
    from sandbox.store.layout import DIFF, META

    [layer] = (store / "layers").iterdir()
    before, start = time.process_time(), time.monotonic()
    build_index([(str(layer / DIFF), str(layer / META))], str(store / "index"))
    return Run(time.monotonic() - start, time.process_time() - before)


def table(runs: dict[str, list[Run]]) -> str:
    """Return the table of medians, with each peer's rate relative to sandbox."""
    ours = statistics.median(run.seconds for run in runs["sandbox load"])
    lines = [f"{'':20} {'wall s':>8} {'cpu s':>8} {'rate to sandbox':>16}"]
    for way, samples in runs.items():
        wall = statistics.median(run.seconds for run in samples)
        cpu = statistics.median(run.cpu_seconds for run in samples)
        ratio = f"{ours / wall:.2f}" if way not in ("sandbox load", "index build") else ""
        lines.append(f"{way:20} {wall:8.2f} {cpu:8.2f} {ratio:>16}")
    return "\n".join(lines)


def summary(runs: dict[str, list[Run]], files: int) -> str:
    """Return the result as one line."""

    def middle(way: str) -> float:
        return statistics.median(run.seconds for run in runs[way])

    ours = middle("sandbox load")
    peers = [way for way in runs if way not in ("sandbox load", "index build")]
    rates = "".join(f", {way} x{middle(way) / ours:.1f}" for way in peers)
    index = middle("index build")
    return f"unpack {files} files: sandbox load {ours:.2f} s{rates}; index build {index:.2f} s"


def main() -> None:
    """Measure with the sizes on the command line."""
    given = [int(text) for text in sys.argv[1:4]]
    files, size, rounds = (*given, *(100_000, 1000, 3)[len(given) :])
    place = Path(sys.argv[4]) if len(sys.argv) > 4 else Path(tempfile.gettempdir())
    runs = measure(place, files=files, size=size << 20, rounds=rounds)
    sys.stdout.write(table(runs) + "\n")


if __name__ == "__main__":
    main()
