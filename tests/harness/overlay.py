# SPDX-License-Identifier: MIT
"""The kernel's overlayfs as an oracle, mounted by root of a user namespace of its own.

`run` forks, so the caller keeps its identity. The layers are made of members of
tests.harness.stacks, with the kernel's whiteouts.
"""

from __future__ import annotations

import ctypes
import errno
import json
import os
import pathlib
import stat
from collections.abc import Sequence
from typing import TextIO

from tests.harness.stacks import MTIME_NS, Member, merge

CLONE_NEWNS = 0x00020000
CLONE_NEWUSER = 0x10000000
FCHMODAT2 = 452
libc = ctypes.CDLL(None, use_errno=True)


def check(result: int) -> None:
    if result < 0:
        code = ctypes.get_errno()
        raise OSError(code, os.strerror(code))


def become_root() -> None:
    uid, gid = os.getuid(), os.getgid()
    check(libc.unshare(CLONE_NEWUSER | CLONE_NEWNS))
    pathlib.Path("/proc/self/setgroups").write_text("deny")
    pathlib.Path("/proc/self/uid_map").write_text(f"0 {uid} 1")
    pathlib.Path("/proc/self/gid_map").write_text(f"0 {gid} 1")


def write_layer(folder: pathlib.Path, members: Sequence[Member]) -> None:
    """Write a layer for overlayfs."""
    folder.mkdir()
    directories = []
    for member in members:
        path = folder / member.path
        if member.kind == "o":
            os.setxattr(path, "user.overlay.opaque", b"y")
            continue
        for parent in reversed(path.relative_to(folder).parents):
            (folder / parent).mkdir(exist_ok=True)
        if member.kind == "w":
            os.mknod(path, stat.S_IFCHR, 0)
        elif member.link_to:
            path.hardlink_to(folder / member.link_to)
        elif member.kind == "l":
            path.symlink_to(member.text)
        elif member.kind == "d":
            path.mkdir(exist_ok=True)
            directories.append((path, member.mode))
        else:
            path.write_text(member.text)
            path.chmod(member.mode)
    for path, mode in directories:
        path.chmod(mode)
    for member in reversed(members):
        if member.kind not in "wo":
            os.utime(folder / member.path, ns=(MTIME_NS, MTIME_NS), follow_symlinks=False)


def useful(members: Sequence[Member], below: Sequence[Sequence[Member]]) -> list[Member]:
    """Leave out whiteouts that hide nothing: overlayfs may show them in a listing."""
    opaque = [Member(item.path, "w") for item in members if item.kind == "o"]
    visible = merge([*below, opaque])
    return [item for item in members if item.kind != "w" or item.path in visible]


def mount(root: pathlib.Path, layers: Sequence[Sequence[Member]]) -> pathlib.Path:
    lowers = []
    for number, members in enumerate(layers):
        write_layer(root / f"lower{number}", useful(members, layers[:number]))
        lowers.insert(0, f"lower{number}")
    for name in ("upper", "work", "merged"):
        (root / name).mkdir(0o755)
    os.chdir(root)  # sixty absolute names do not fit into a page of options
    options = f"lowerdir={':'.join(lowers)},upperdir=upper,workdir=work,userxattr"
    merged = root / "merged"
    check(libc.mount(b"overlay", os.fsencode(merged), b"overlay", 0, options.encode()))
    return merged


class Kernel:
    """The operations of tests.harness.filesystem, done by the kernel."""

    def do(self, name: str, *arguments: object) -> int:
        try:
            getattr(self, name)(*arguments)
        except OSError as exc:
            return exc.errno or errno.EIO
        return 0

    mkdir = staticmethod(os.mkdir)
    unlink = staticmethod(os.unlink)
    rmdir = staticmethod(os.rmdir)

    def create(self, path: bytes, mode: int, content: bytes) -> None:
        fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, mode)
        os.write(fd, content)
        os.close(fd)

    def symlink(self, path: bytes, target: bytes) -> None:
        os.symlink(target, path)

    def mknod(self, path: bytes, mode: int, rdev: int) -> None:
        os.mknod(path, mode, rdev)

    def link(self, source: bytes, path: bytes) -> None:
        os.link(source, path, follow_symlinks=False)

    def rename(self, source: bytes, path: bytes, flags: int) -> None:
        check(libc.renameat2(-100, source, -100, path, flags))

    def chmod(self, path: bytes, mode: int) -> None:
        check(libc.syscall(FCHMODAT2, -100, path, mode, 0x100))

    def utimens(self, path: bytes, mtime: int) -> None:
        os.utime(path, ns=(mtime, mtime), follow_symlinks=False)

    def truncate(self, path: bytes, size: int) -> None:
        if stat.S_ISLNK(os.lstat(path).st_mode):  # the tree's own does not follow
            raise OSError(errno.EINVAL, "")
        os.truncate(path, size)

    def setxattr(self, path: bytes, name: bytes, value: bytes) -> None:
        os.setxattr(path, name, value, follow_symlinks=False)

    def removexattr(self, path: bytes, name: bytes) -> None:
        os.removexattr(path, name, follow_symlinks=False)


def describe(path: bytes) -> list[object]:
    """Return the facts of an entry that the model has, too, in a form for JSON."""
    found = os.lstat(path)
    kind = stat.S_IFMT(found.st_mode)
    content = b""
    if kind == stat.S_IFREG:
        fd = os.open(path, os.O_RDONLY)
        content = os.read(fd, 100)
        os.close(fd)
    names = os.listxattr(path, follow_symlinks=False) if kind != stat.S_IFLNK else []
    names = [name for name in names if not name.startswith("user.overlay.")]
    return [
        oct(found.st_mode),
        content.hex(),
        os.readlink(path).hex() if kind == stat.S_IFLNK else "",
        {name: os.getxattr(path, name).hex() for name in names if name.startswith("user.")},
        found.st_mtime_ns,
        found.st_nlink if kind != stat.S_IFDIR else None,
        sorted(name.hex() for name in os.listdir(path)) if kind == stat.S_IFDIR else [],
    ]


def snapshot() -> dict[str, list[object]]:
    entries = {b"/".hex(): describe(b"/")}
    for folder, folders, files in os.walk(b"/"):
        for name in [*folders, *files]:
            path = os.path.join(folder, name)
            entries[path.hex()] = describe(path)
    return entries


Answers = list[tuple[int, dict[str, list[object]] | None]]


def run(
    root: pathlib.Path,
    layers: Sequence[Sequence[Member]],
    operations: Sequence[tuple],
    every: int = 1,
) -> Answers:
    """Return the answer to each operation, and a snapshot of the tree after *every* so many."""
    answer = root / "answer"
    child = os.fork()
    if child == 0:
        try:
            with answer.open("w", encoding="utf-8") as out:
                run_here(root, layers, operations, every, out)
            os._exit(0)
        except BaseException as exc:  # noqa: BLE001 - the parent must not go on twice
            os.write(2, f"oracle: {exc!r}\n".encode())
            os._exit(1)
    if os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) != 0:
        raise OSError(errno.EPERM, "no overlayfs here")
    return [tuple(row) for row in json.loads(answer.read_text())]


def run_here(
    root: pathlib.Path,
    layers: Sequence[Sequence[Member]],
    operations: Sequence[tuple],
    every: int,
    out: TextIO,
) -> None:
    os.umask(0)
    become_root()
    os.chroot(mount(root, layers))
    os.chdir("/")
    kernel = Kernel()
    answers: Answers = []
    for number, operation in enumerate(operations, 1):
        answer = kernel.do(*operation)
        answers.append((answer, snapshot() if number % every == 0 else None))
    json.dump(answers, out)


def is_possible(root: pathlib.Path) -> bool:
    try:
        run(root, [[Member("a")]], [])
    except OSError:
        return False
    return True
