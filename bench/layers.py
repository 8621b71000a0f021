# SPDX-License-Identifier: MIT
"""Compare the start of a container of sixty layers with one of a single layer of the same files.

Two images have the same tree, one in many layers and one in a single layer. Every round starts
`true` in each. The first round makes the indexes and does not count.

    python -m bench.layers [LAYERS [FILES-PER-LAYER [ROUNDS [FOLDER]]]]
"""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
MANY, ONE = "many:1", "one:1"
_PER_FOLDER = 100
_PROGRAM = "int main(void) { return 0; }\n"


@dataclass(frozen=True)
class Starts:
    """Seconds of each `run --rm`, by image; *first* has those of the first runs, with the index."""

    seconds: dict[str, list[float]]
    first: dict[str, float]

    def median(self, name: str) -> float:
        """Return the median of an image's times."""
        return statistics.median(self.seconds[name])

    def ratio(self) -> float:
        """Return the median of the rounds' ratios of many layers to one layer."""
        pairs = zip(self.seconds[MANY], self.seconds[ONE], strict=True)
        return statistics.median(many / one for many, one in pairs)


def measure(place: Path, *, layers: int, files: int, rounds: int) -> Starts:
    """Make both images in their own store below *place*, and start them in turn."""
    with tempfile.TemporaryDirectory(dir=place) as name:
        folder = Path(name)
        environ = _environ(folder / "store")
        program = _true(folder)
        parts = [_layer(number, files, None if number else program) for number in range(layers)]
        _load(folder, environ, MANY, (_tar(part) for part in parts))
        _load(folder, environ, ONE, iter([_tar([item for part in parts for item in part])]))
        first = {image: _start(environ, image) for image in (MANY, ONE)}
        seconds: dict[str, list[float]] = {MANY: [], ONE: []}
        for number in range(rounds):
            for image in (MANY, ONE) if number % 2 else (ONE, MANY):
                seconds[image].append(_start(environ, image))
    return Starts(seconds, first)


Member = tuple[str, bytes, int]


def _layer(number: int, files: int, program: bytes | None) -> list[Member]:
    """Return a layer's files; some of them replace files of the layer below."""
    members = [] if program is None else [("bin/true", program, 0o755)]
    for item in range(files):
        owner = number - 1 if number and item % 50 == 0 else number
        path = f"usr/share/l{owner}/d{item // _PER_FOLDER}/file{item}.txt"
        members.append((path, b"%d %d\n" % (number, item), 0o644))
    return members


def _tar(members: Iterable[Member]) -> bytes:
    plain = io.BytesIO()
    with tarfile.open(fileobj=plain, mode="w", format=tarfile.PAX_FORMAT) as archive:
        for path, data, mode in members:
            entry = tarfile.TarInfo(path)
            entry.size, entry.mode = len(data), mode
            archive.addfile(entry, io.BytesIO(data))
    return plain.getvalue()


def _load(folder: Path, environ: dict[str, str], name: str, tars: Iterable[bytes]) -> None:
    """Write an archive of `docker save` and load it."""
    path = folder / "archive"
    path.mkdir()
    diff_ids, names = [], []
    for number, data in enumerate(tars):
        diff_ids.append(f"sha256:{hashlib.sha256(data).hexdigest()}")
        names.append(f"{number}.tar")
        (path / names[-1]).write_bytes(data)
    rootfs = {"type": "layers", "diff_ids": diff_ids}
    config = {"architecture": "amd64", "os": "linux", "config": {}, "rootfs": rootfs}
    (path / "config.json").write_text(json.dumps(config))
    saved = [{"Config": "config.json", "RepoTags": [name], "Layers": names}]
    (path / "manifest.json").write_text(json.dumps(saved))
    command = [sys.executable, "-m", "sandbox", "load", "-q", "-i", str(path)]
    subprocess.run(command, env=environ, check=True, stdout=subprocess.DEVNULL)
    shutil.rmtree(path)


def _true(folder: Path) -> bytes:
    source, program = folder / "true.c", folder / "true"
    source.write_text(_PROGRAM)
    subprocess.run(["gcc", "-static", "-Os", "-s", "-o", program, source], check=True)
    return program.read_bytes()


def _environ(store: Path) -> dict[str, str]:
    own = {"SANDBOX_ROOT": str(store), "PYTHONPATH": str(ROOT)}
    return {**os.environ, **own}


def _start(environ: dict[str, str], image: str) -> float:
    command = [sys.executable, "-m", "sandbox", "run", "--rm", image, "/bin/true"]
    began = time.monotonic()
    subprocess.run(command, env=environ, check=True, stdin=subprocess.DEVNULL)
    return time.monotonic() - began


def summary(starts: Starts, layers: int, files: int) -> str:
    """Return the result as one line."""
    many, one = (starts.median(name) * 1000 for name in (MANY, ONE))
    return (
        f"start of {layers} layers of {files} files: {many:.0f} ms, of the same files in one layer"
        f" {one:.0f} ms (x{starts.ratio():.2f}); the first one, with the index,"
        f" {starts.first[MANY]:.2f} s and {starts.first[ONE]:.2f} s"
    )


def main() -> None:
    """Measure with the sizes on the command line."""
    given = [int(text) for text in sys.argv[1:4]]
    layers, files, rounds = (*given, *(60, 5000, 20)[len(given) :])
    place = Path(sys.argv[4]) if len(sys.argv) > 4 else Path(tempfile.gettempdir())
    starts = measure(place, layers=layers, files=files, rounds=rounds)
    sys.stdout.write(summary(starts, layers, files) + "\n")


if __name__ == "__main__":
    main()
