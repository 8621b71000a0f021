# SPDX-License-Identifier: MIT
"""Count the inodes and bytes of an image of many small files, unpacked and packed.

The same OCI layout of one layer is loaded by sandbox, unpacked by umoci, and copied by skopeo and
unpacked by tar. For each the inodes and bytes on disk are counted, with the compressed layer where
it is kept (by sandbox and skopeo). "Packed" is a form of the store that does not exist: the layer
as one uncompressed tar, with an index of where each file begins. Then members are opened and read
in their unpacked files, and after they were copied out of the tar at first use.

    python -m bench.growth.inodes [FILES [MEBIBYTES [FOLDER]]]
"""

from __future__ import annotations

import gzip
import os
import random
import shutil
import subprocess
import sys
import tarfile
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from bench.unpack import ROOT, contenders, make_layout

_OPENED = 2000


@dataclass(frozen=True)
class Room:
    """The inodes and bytes of a tree on disk, as du counts them."""

    inodes: int
    size: int


@dataclass(frozen=True)
class Opening:
    """Microseconds to open a member and read it to its end."""

    unpacked: float
    first: float
    again: float


def room_of(tree: Path) -> Room:
    """Count the inodes and bytes of a tree; hard links count once."""
    seen: dict[tuple[int, int], int] = {}
    for folder, _, names in os.walk(tree):
        for path in (folder, *(os.path.join(folder, name) for name in names)):
            status = os.lstat(path)
            seen[status.st_dev, status.st_ino] = status.st_blocks * 512
    return Room(len(seen), sum(seen.values()))


def measure(place: Path, *, files: int, size: int) -> tuple[dict[str, Room], Opening]:
    """Unpack with every tool below *place*, and try the packed form."""
    with tempfile.TemporaryDirectory(dir=place) as name:
        folder = Path(name)
        layout = make_layout(folder, files, size)
        rooms = {}
        for way, run in contenders(layout).items():
            inside = folder / way.split()[0]
            inside.mkdir()
            run(inside)
            if way == "sandbox load":
                _make_index(inside / "store")
            rooms[way] = room_of(inside)
            if way != "sandbox load":
                shutil.rmtree(inside)
        store = folder / "sandbox/store"
        [diff] = store.glob("layers/*/diff")
        tar = _plain_tar(layout, folder / "packed.tar")
        whole, unpacked = rooms["sandbox load"], room_of(diff)
        rooms["packed"] = Room(
            whole.inodes - unpacked.inodes + 1,
            whole.size - unpacked.size + tar.stat().st_blocks * 512,
        )
        return rooms, _opening(diff, tar, folder / "touched")


def _make_index(store: Path) -> None:
    """Create and remove a container, so that the image's index is built."""
    environ = {**os.environ, "SANDBOX_ROOT": str(store), "PYTHONPATH": str(ROOT)}

    def say(*words: str) -> str:
        command = [sys.executable, "-m", "sandbox", *words]
        done = subprocess.run(command, env=environ, check=True, capture_output=True, text=True)
        return done.stdout.strip()

    say("rm", say("create", say("images", "-q"), "x"))


def _plain_tar(layout: Path, path: Path) -> Path:
    blob = max((layout / "blobs/sha256").iterdir(), key=lambda item: item.stat().st_size)
    with gzip.open(blob) as source, path.open("wb") as target:
        shutil.copyfileobj(source, target)
    return path


def _opening(diff: Path, tar: Path, touched: Path) -> Opening:
    """Time the opening of some members with everything in the page cache."""
    touched.mkdir()
    with tarfile.open(tar) as archive:
        members = [item for item in archive if item.isfile()]
    chosen = random.Random(1).sample(members, min(_OPENED, len(members)))
    with tar.open("rb") as source:

        def copy_out(number: int) -> None:
            member, done = chosen[number], 0
            fd = os.open(touched / str(number), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            while done < member.size:
                at = member.offset_data + done
                done += os.copy_file_range(source.fileno(), fd, member.size - done, at)
            os.close(fd)
            _read(touched / str(number))

        return Opening(
            _each(len(chosen), lambda number: _read(diff / chosen[number].name)),
            _each(len(chosen), copy_out, repeat=1),
            _each(len(chosen), lambda number: _read(touched / str(number))),
        )


def _read(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    while os.read(fd, 65536):
        pass
    os.close(fd)


def _each(count: int, act: Callable[[int], None], *, repeat: int = 2) -> float:
    """Return the microseconds of one call in the last repetition."""
    for _ in range(repeat):
        start = time.perf_counter()
        for number in range(count):
            act(number)
        spent = time.perf_counter() - start
    return spent / count * 1e6


def report(rooms: dict[str, Room], opening: Opening) -> str:
    """Return the result as text."""
    lines = [f"{'':20} {'inodes':>8} {'MB':>8}"]
    lines += [f"{way:20} {room.inodes:8} {room.size / 1e6:8.1f}" for way, room in rooms.items()]
    return "\n".join(
        [
            *lines,
            f"open and read a member: {opening.unpacked:.0f} us unpacked, {opening.first:.0f} us"
            f" copied out of the tar at first use, {opening.again:.0f} us after that",
        ]
    )


def main() -> None:
    """Measure with the sizes on the command line."""
    given = [int(text) for text in sys.argv[1:3]]
    files, size = (*given, *(100_000, 400)[len(given) :])
    place = Path(sys.argv[3]) if len(sys.argv) > 3 else Path(tempfile.gettempdir())
    sys.stdout.write(report(*measure(place, files=files, size=size << 20)) + "\n")


if __name__ == "__main__":
    main()
