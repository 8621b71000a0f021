# SPDX-License-Identifier: MIT
"""A container's tree in a host directory, with the interface of `native.core.Tree`."""

from __future__ import annotations

import errno
import os
import pathlib
import stat
from types import SimpleNamespace
from typing import Any

from sandbox.errors import NativeError


class FakeTree:
    """A tree with a table for owners, modes and devices, like the real one."""

    def __init__(self, root: pathlib.Path) -> None:
        self.root = os.fsencode(root)
        self.facts: dict[bytes, dict[str, Any]] = {}

    def _host(self, path: bytes) -> bytes:
        return self.root + b"/" + path.strip(b"/")

    def _facts(self, path: bytes) -> dict[str, Any]:
        return self.facts.setdefault(b"/" + path.strip(b"/"), {})

    def stat(self, path: bytes, *, follow: bool = True) -> Any:
        try:
            status = os.stat(self._host(path), follow_symlinks=follow)
        except OSError as exc:
            raise NativeError(exc.errno or errno.EIO, os.fsdecode(path)) from exc
        facts = self._facts(path)
        link = os.readlink(self._host(path)) if stat.S_ISLNK(status.st_mode) else None
        return SimpleNamespace(
            mode=facts.get("mode", status.st_mode),
            uid=facts.get("uid", 0),
            gid=facts.get("gid", 0),
            size=status.st_size,
            mtime_ns=status.st_mtime_ns,
            ino=status.st_ino,
            dev=status.st_dev,
            nlink=status.st_nlink,
            rdev=facts.get("rdev", 0),
            host_path=self._host(path),
            link=link,
        )

    def list(self, path: bytes) -> list[bytes]:
        return os.listdir(self._host(path))

    def xattrs(self, path: bytes) -> dict[bytes, bytes]:
        found: dict[bytes, bytes] = self._facts(path).get("xattrs", {})
        return found

    def open_file(self, path: bytes) -> int:
        return os.open(self._host(path), os.O_RDONLY)

    def mkdir(self, path: bytes, mode: int) -> None:
        os.mkdir(self._host(path))
        self.chmod(path, mode)

    def make_place(self, path: bytes, mode: int) -> None:
        self.mkdir(path, mode)

    def create(self, path: bytes, mode: int) -> int:
        self._facts(path)["mode"] = stat.S_IFREG | mode
        return os.open(self._host(path), os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)

    def symlink(self, target: bytes, path: bytes) -> None:
        os.symlink(target, self._host(path))

    def link(self, source: bytes, path: bytes) -> None:
        os.link(self._host(source), self._host(path))

    def mknod(self, path: bytes, mode: int, rdev: int) -> None:
        with open(self._host(path), "xb"):
            self._facts(path).update(mode=mode, rdev=rdev)

    def setxattr(self, path: bytes, name: bytes, value: bytes) -> None:
        self._facts(path).setdefault("xattrs", {})[name] = value

    def unlink(self, path: bytes) -> None:
        os.unlink(self._host(path))
        self.facts.pop(b"/" + path.strip(b"/"), None)

    def chown(self, path: bytes, uid: int, gid: int) -> None:
        self._facts(path).update(uid=uid, gid=gid)

    def chmod(self, path: bytes, mode: int) -> None:
        facts = self._facts(path)
        kind = stat.S_IFMT(facts.get("mode") or os.lstat(self._host(path)).st_mode)
        facts["mode"] = kind | mode

    def utimens(self, path: bytes, atime_ns: int, mtime_ns: int) -> None:
        os.utime(self._host(path), ns=(atime_ns, mtime_ns), follow_symlinks=False)
