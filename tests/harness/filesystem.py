# SPDX-License-Identifier: MIT
"""A file system in memory, as root sees it: the oracle of changes to the merged tree.

Each operation returns 0 or an errno, and the model holds the tree that must be seen afterwards.
A test compares the model with the kernel's overlayfs, where mounting one is allowed.
"""

from __future__ import annotations

import errno
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from tests.harness.stacks import MTIME_NS, TYPES, Member, merge

NOREPLACE = 1
EXCHANGE = 2


@dataclass(eq=False)
class Inode:
    """A file. *mtime* and *nlink* are None where the model makes no promise."""

    mode: int
    uid: int = 0
    gid: int = 0
    content: bytes = b""
    target: bytes = b""
    rdev: int = 0
    xattrs: dict[bytes, bytes] = field(default_factory=dict)
    mtime: int | None = None
    nlink: int | None = 1
    lower: bool = False
    children: dict[bytes, Inode] = field(default_factory=dict)

    @property
    def kind(self) -> int:
        return stat.S_IFMT(self.mode)

    @property
    def is_dir(self) -> bool:
        return self.kind == stat.S_IFDIR


@dataclass
class Found:
    """The inode at a path, and the directory and name that lead to it."""

    parent: Inode
    name: bytes
    inode: Inode | None

    def present(self) -> Inode:
        if self.inode is None:
            raise OSError(errno.ENOENT, "")
        return self.inode


def refuse(code: int) -> OSError:
    return OSError(code, "")


class Filesystem:
    """The tree.

    *as_overlayfs*: as overlayfs without redirects, where a directory of the lower cannot
    be moved, and mounted in a user namespace, whose root is not trusted with set-id bits.
    """

    def __init__(self, layers: Sequence[Sequence[Member]], *, as_overlayfs: bool = False) -> None:
        merged = merge(layers)
        self.root = Inode(stat.S_IFDIR | 0o755, lower=True)
        self.as_overlayfs = as_overlayfs
        for path in sorted(merged, key=lambda path: path.count("/")):
            member = merged[path]
            inode = self._of_member(member)
            parent, _, name = path.rpartition("/")
            self._dir(parent).children[name.encode()] = inode
        linked = {member.link_to for layer in layers for member in layer}
        for path, member in merged.items():
            if member.kind != "d" and (member.link_to or path in linked):
                self._dir(path).nlink = None

    @staticmethod
    def _of_member(member: Member) -> Inode:
        return Inode(
            mode=TYPES[member.kind] | member.mode,
            uid=member.uid,
            gid=member.gid,
            content=member.text.encode() if member.kind == "f" else b"",
            target=member.text.encode() if member.kind == "l" else b"",
            mtime=MTIME_NS,
            lower=True,
        )

    def _dir(self, path: str) -> Inode:
        inode = self.root
        for part in path.split("/") if path else []:
            inode = inode.children[part.encode()]
        return inode

    # -- finding

    def find(self, path: bytes, links: int = 0) -> Found:
        """Walk to the last component and do not follow it."""
        stack = [self.root]
        parts = [part for part in path.split(b"/") if part not in (b"", b".")]
        while len(parts) > 1:
            part = parts.pop(0)
            here = stack[-1]
            if not here.is_dir:
                raise refuse(errno.ENOTDIR)
            if part == b"..":
                stack = stack[:-1] or [self.root]
                continue
            if part not in here.children:
                raise refuse(errno.ENOENT)
            child = here.children[part]
            if child.kind == stat.S_IFLNK:
                links += 1
                if links > 40:
                    raise refuse(errno.ELOOP)
                rest = [p for p in child.target.split(b"/") if p not in (b"", b".")]
                if child.target.startswith(b"/"):
                    stack = [self.root]
                parts = rest + parts
                continue
            stack.append(child)
        if not stack[-1].is_dir:
            raise refuse(errno.ENOTDIR)
        return Found(stack[-1], parts[0], stack[-1].children.get(parts[0]))

    # -- what is there

    def snapshot(self) -> dict[bytes, Inode]:
        return dict(self._walk(b"", self.root))

    def _walk(self, path: bytes, inode: Inode) -> Iterator[tuple[bytes, Inode]]:
        yield path or b"/", inode
        for name, child in inode.children.items():
            yield from self._walk(path + b"/" + name, child)

    # -- operations

    def do(self, name: str, *arguments: object) -> int:
        """Do one operation; 0 or the errno."""
        operation: Callable[..., None] = getattr(self, name)
        try:
            operation(*arguments)
        except OSError as exc:
            return exc.errno or errno.EIO
        return 0

    def _add(self, path: bytes, inode: Inode) -> None:
        found = self.find(path)
        if found.inode is not None:
            raise refuse(errno.EEXIST)
        if found.parent.mode & stat.S_ISGID:
            inode.gid = found.parent.gid
            if inode.is_dir:
                inode.mode |= stat.S_ISGID
        self._put(found, inode)

    @staticmethod
    def _put(found: Found, inode: Inode) -> None:
        found.parent.children[found.name] = inode
        found.parent.mtime = None

    @staticmethod
    def _take(found: Found) -> None:
        del found.parent.children[found.name]
        found.parent.mtime = None

    @staticmethod
    def _touch(inode: Inode) -> Inode:
        """Copy a file of a layer up, which separates it from its hard links."""
        if inode.nlink is None:
            inode.nlink = 1
        return inode

    def mkdir(self, path: bytes, mode: int) -> None:
        self._add(path, Inode(stat.S_IFDIR | mode & 0o1777))

    def create(self, path: bytes, mode: int, content: bytes) -> None:
        inode = Inode(stat.S_IFREG | mode, content=content)
        self._add(path, inode)
        if self.as_overlayfs and content:
            self._drop_set_id(inode)

    def symlink(self, path: bytes, target: bytes) -> None:
        self._add(path, Inode(stat.S_IFLNK | 0o777, target=target))

    def mknod(self, path: bytes, mode: int, rdev: int) -> None:
        self._add(path, Inode(mode, rdev=rdev))

    def link(self, source: bytes, path: bytes) -> None:
        inode = self.find(source).present()
        found = self.find(path)
        if found.inode is not None:
            raise refuse(errno.EEXIST)
        if inode.is_dir:
            raise refuse(errno.EPERM)
        links = self._touch(inode).nlink or 0
        inode.nlink = links + 1
        self._put(found, inode)

    def unlink(self, path: bytes) -> None:
        found = self.find(path)
        inode = found.present()
        if inode.is_dir:
            raise refuse(errno.EISDIR)
        self._drop(inode)
        self._take(found)

    @staticmethod
    def _drop(inode: Inode) -> None:
        if inode.nlink is not None:
            inode.nlink -= 1

    def rmdir(self, path: bytes) -> None:
        found = self.find(path)
        inode = found.present()
        if not inode.is_dir:
            raise refuse(errno.ENOTDIR)
        if inode.children:
            raise refuse(errno.ENOTEMPTY)
        self._take(found)

    def rename(self, source: bytes, path: bytes, flags: int) -> None:
        old = self.find(source)
        new = self.find(path)
        inode = old.present()
        if flags & NOREPLACE and new.inode is not None:
            raise refuse(errno.EEXIST)
        if flags & EXCHANGE:
            new.present()
        self._check_loop(old, new, flags)
        if new.inode is inode:
            return
        if new.inode is not None and not flags & EXCHANGE:
            self._check_replace(inode, new.inode)
        if self.as_overlayfs:
            for moved in (inode, *([new.present()] if flags & EXCHANGE else [])):
                if moved.is_dir and moved.lower:
                    raise refuse(errno.EXDEV)
        if new.inode is not None and not flags & EXCHANGE and new.inode.children:
            raise refuse(errno.ENOTEMPTY)
        self._move(old, new, flags)

    def _check_loop(self, old: Found, new: Found, flags: int) -> None:
        if self._is_above(old.present(), new.parent):
            raise refuse(errno.EINVAL)
        if new.inode is not None and self._is_above(new.inode, old.parent):
            raise refuse(errno.EINVAL if flags & EXCHANGE else errno.ENOTEMPTY)

    def _is_above(self, outer: Inode, inner: Inode) -> bool:
        return outer is inner or any(
            self._is_above(child, inner) for child in outer.children.values() if child.is_dir
        )

    @staticmethod
    def _check_replace(inode: Inode, other: Inode) -> None:
        if inode.is_dir and not other.is_dir:
            raise refuse(errno.ENOTDIR)
        if not inode.is_dir and other.is_dir:
            raise refuse(errno.EISDIR)

    def _move(self, old: Found, new: Found, flags: int) -> None:
        inode = self._touch(old.present())
        if flags & EXCHANGE:
            self._put(old, self._touch(new.present()))
        else:
            if new.inode is not None:
                self._drop(new.inode)
            self._take(old)
        self._put(new, inode)

    def chmod(self, path: bytes, mode: int) -> None:
        inode = self.find(path).present()
        if inode.kind == stat.S_IFLNK:
            raise refuse(errno.EOPNOTSUPP)
        self._touch(inode).mode = inode.kind | mode

    def chown(self, path: bytes, uid: int, gid: int) -> None:
        inode = self._touch(self.find(path).present())
        inode.uid = uid
        inode.gid = gid
        if inode.is_dir or inode.kind == stat.S_IFLNK:
            return
        self._drop_set_id(inode)

    @staticmethod
    def _drop_set_id(inode: Inode) -> None:
        inode.mode &= ~stat.S_ISUID
        if inode.mode & stat.S_IXGRP:
            inode.mode &= ~stat.S_ISGID

    def utimens(self, path: bytes, mtime: int) -> None:
        self._touch(self.find(path).present()).mtime = mtime

    def truncate(self, path: bytes, size: int) -> None:
        inode = self.find(path).present()
        if inode.is_dir:
            raise refuse(errno.EISDIR)
        if inode.kind != stat.S_IFREG:
            raise refuse(errno.EINVAL)
        self._touch(inode).content = inode.content[:size].ljust(size, b"\0")
        if self.as_overlayfs:
            self._drop_set_id(inode)
        inode.mtime = None

    def setxattr(self, path: bytes, name: bytes, value: bytes) -> None:
        inode = self.find(path).present()
        if inode.kind not in (stat.S_IFREG, stat.S_IFDIR):
            raise refuse(errno.EPERM)
        self._touch(inode).xattrs[name] = value

    def removexattr(self, path: bytes, name: bytes) -> None:
        inode = self.find(path).present()
        if inode.kind not in (stat.S_IFREG, stat.S_IFDIR):
            raise refuse(errno.EPERM)
        if name not in inode.xattrs:
            raise refuse(errno.ENODATA)
        del self._touch(inode).xattrs[name]
