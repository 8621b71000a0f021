# SPDX-License-Identifier: MIT
"""Plays programs of system calls: by the kernel, and in a container.

The kernel plays them as real root, in a chroot on its overlayfs (for a container's own tree) or
in a plain directory (for mounts). So that needs root, and a mount namespace of its own.
"""

from __future__ import annotations

import io
import pathlib
import subprocess
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass

from tests.calls.make import BASE, prelude
from tests.harness.command import Sandbox

PLACES = ("tree", "tmpfs", "volume", "bind", "host")
BATCH = 40  # programs that one container plays
NOBODY = 12345
FLAGS = {
    "tree": (),
    "tmpfs": ("--tmpfs", "/v"),
    "volume": ("-v", "calls:/v"),
}
IN_A_CHROOT = """
set -e
mount --make-rprivate /
if [ "$2" = overlay ]; then
    mount -t overlay overlay "$1/root" \\
        -o "lowerdir=$1/lower,upperdir=$1/upper,workdir=$1/work,redirect_dir=on"
else
    mount --bind "$1/lower" "$1/root"
fi
mount -t proc proc "$1/root/proc"
mount --bind /dev "$1/root/dev"
exec chroot "$1/root" /calls
"""


def layer(player: pathlib.Path) -> bytes:
    """Return the archive of an image with the player, and folders w0, w1, ... with the base."""
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as tar:
        tar.add(player, "calls", filter=_of_root)
        for folder in ("proc", "dev", "tmp", "v"):
            _add(tar, "d", folder, 0o755)
        for number in range(BATCH):
            _add(tar, "d", f"w{number}", 0o755)
            for kind, path, mode, owner, group, text in BASE:
                _add(tar, kind, f"w{number}/{path}", mode, owner, group, text)
    return out.getvalue()


def _of_root(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.uid = member.gid = 0
    member.mode = 0o755
    return member


def _add(
    tar: tarfile.TarFile,
    kind: str,
    path: str,
    mode: int,
    owner: int = 0,
    group: int = 0,
    text: str = "",
) -> None:
    member = tarfile.TarInfo(path)
    member.type = {"d": tarfile.DIRTYPE, "f": tarfile.REGTYPE, "l": tarfile.SYMTYPE}[kind]
    member.mode, member.uid, member.gid, member.mtime = mode, owner, group, 1_500_000_000
    if kind == "l":
        member.linkname = text
    data = text.encode() if kind == "f" else b""
    member.size = len(data)
    tar.addfile(member, io.BytesIO(data))


def script(programs: Sequence[Sequence[str]], place: str) -> bytes:
    """Return what the player reads."""
    folder, first = ("/w", []) if place == "tree" else ("/v/", prelude())
    lines: list[str] = []
    for number, program in enumerate(programs):
        lines += [f"= {folder}{number}", *first, *program, "."]
    return "".join(f"{line}\n" for line in lines).encode()


def parted(output: bytes) -> list[list[str]]:
    """Return the lines of each program."""
    text = output.decode("utf-8", "replace")
    return [part.splitlines()[1:] for part in text.split("= /")[1:]]


@dataclass(frozen=True)
class Kernel:
    """Real root. *folder* is for its mounts, on a file system that holds an upper layer."""

    folder: pathlib.Path
    archive: bytes

    def play(self, programs: Sequence[Sequence[str]], place: str) -> list[list[str]]:
        """Return what the programs print."""
        for name in ("lower", "upper", "work", "root"):
            subprocess.run(["rm", "-rf", self.folder / name], check=True)
            (self.folder / name).mkdir(parents=True)
        subprocess.run(
            ["tar", "-xpf", "-", "--numeric-owner", "-C", self.folder / "lower"],
            input=self.archive,
            check=True,
        )
        kind = "overlay" if place == "tree" else "plain"
        command = ["unshare", "-m", "sh", "-c", IN_A_CHROOT, "sh", str(self.folder), kind]
        done = subprocess.run(
            command,
            input=script(programs, place),
            capture_output=True,
            timeout=120,
            check=True,
        )
        return parted(done.stdout)


@dataclass(frozen=True)
class Container:
    """A container of an unprivileged user. The image `calls` is in its store."""

    sandbox: Sandbox
    folder: pathlib.Path  # for binds; the user's
    prefix: Sequence[str] = ()  # what makes a command the user's

    def command(self, *words: str, data: bytes = b"") -> bytes:
        """Run `sandbox`."""
        done = subprocess.run(
            [*self.prefix, *self.sandbox.argv(*words)],
            env=self.sandbox.environment(),
            input=data,
            capture_output=True,
            timeout=120,
            check=False,
        )
        return done.stdout + (done.stderr if done.returncode else b"")

    def play(self, programs: Sequence[Sequence[str]], place: str) -> list[list[str]]:
        """Return what the programs print."""
        flags = FLAGS.get(place, ())
        self.command("volume", "rm", "-f", "calls")
        if place in ("bind", "host"):
            subprocess.run([*self.prefix, "chmod", "-R", "u+rwX", self.folder], check=False)
            subprocess.run([*self.prefix, "rm", "-rf", self.folder], check=True)
            subprocess.run([*self.prefix, "mkdir", "-p", self.folder], check=True)
            flags = ("-v", f"{self.folder}:/v")
        return parted(
            self.command(
                "run", "-i", "--rm", *flags, "calls", "/calls", data=script(programs, place)
            )
        )
