# SPDX-License-Identifier: MIT
"""Unpacking needs hardly more memory for a layer with more members."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

FEW, MANY = 16_000, 56_000
BYTES_A_MEMBER = 96

PROGRAM = """
import pathlib, sys
from sandbox.layers.unpack import unpack_layer
from tests.harness import images

class Tar:
    def __init__(self, count):
        self.numbers, self.rest = iter(range(count)), b""
    def block(self, number):
        folder = f"usr/share/a-folder-of-some-length-{number // 100}"
        name = f"{folder}/a-file-of-some-length-{number}"
        if number % 4 == 1:
            one = images.hardlink(name, f"{folder}/a-file-of-some-length-{number // 100 * 100}")
        elif number % 4 == 2:
            one = images.whiteout(name)
        else:
            one = images.file(name, pax={"SCHILY.xattr.user.a": b"b"} if number % 8 else {})
        return images.tar([one])[:-1024]
    def read(self, size):
        while not self.rest and (number := next(self.numbers, None)) is not None:
            self.rest = self.block(number)
        data, self.rest = self.rest[:size], self.rest[size:]
        return data

layer = unpack_layer(Tar(int(sys.argv[1])), pathlib.Path.cwd())
assert layer.info.entries > int(sys.argv[1])
status = pathlib.Path("/proc/self/status").read_text()
print(status.partition("VmHWM:")[2].split()[0])
"""


def peak(members: int, place: Path) -> int:
    """Return the largest resident size of a process that unpacks a layer, in bytes."""
    place.mkdir()
    root = Path(__file__).resolve().parents[3]
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(members)],
        cwd=place,
        env={"PYTHONPATH": str(root), "PATH": "/usr/bin:/bin"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return int(done.stdout) * 1024


def test_a_member_needs_almost_no_memory(tmp_path: Path) -> None:
    growth = peak(MANY, tmp_path / "many") - peak(FEW, tmp_path / "few")
    assert growth < BYTES_A_MEMBER * (MANY - FEW)
