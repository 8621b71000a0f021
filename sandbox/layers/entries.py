"""The entries of one layer while it is being unpacked: a pure model of its tree.

How it works: a dictionary from normalised path to Inode; hard links share one. Names
of the archive are resolved here, symlinks among the parents included, before any host
call is made.
"""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any

import msgspec

from sandbox.errors import CorruptData
from sandbox.layers.tarfields import text

if TYPE_CHECKING:
    from collections.abc import Iterator

TOP = b"."
_PATH_LIMIT = 4095
_NAME_LIMIT = 255
_LINK_LIMIT = 40  # as in the kernel


class Inode(msgspec.Struct, gc=False):
    """What a table row says of a file, whatever its names."""

    kind: str
    mode: int
    uid: int
    gid: int
    mtime_ns: int
    size: int = 0
    link: bytes = b""
    rdev: tuple[int, int] = (0, 0)
    xattrs: dict[bytes, bytes] | None = None
    names: int = 0


class Entries:
    """All entries made so far, in order, parents before children."""

    def __init__(self) -> None:
        self._inodes: dict[bytes, Inode] = {}
        self._children: dict[bytes, set[bytes]] | None = None  # known once one is removed
        self._marks: dict[bytes, str] = {}  # w whiteout, o opaque
        self.size = 0

    def get(self, path: bytes) -> Inode | None:
        """Return what is at *path*, if anything."""
        return self._inodes.get(path)

    def put(self, path: bytes, inode: Inode) -> None:
        """Record *inode* at *path*; a directory may replace a directory."""
        old = self._inodes.get(path)
        if old is not None and old is not inode:
            self._forget(old)
        self._inodes[path] = inode
        inode.names += 1
        if inode.names == 1:
            self.size += inode.size
        if self._children is not None:
            _note_child(self._children, path)

    def remove(self, path: bytes) -> None:
        """Forget *path* and all below it."""
        is_directory = self._inodes[path].kind == "d"
        if is_directory and self._children is None:
            self._children = {}
            for known in self._inodes:
                _note_child(self._children, known)
        if self._children is not None:
            self._children[_parent(path)].discard(path)
        pending = [path]
        while pending:
            current = pending.pop()
            self._forget(self._inodes.pop(current))
            if self._children is not None:
                pending += self._children.pop(current, ())

    def mark_whiteout(self, parent: bytes, name: bytes) -> None:
        """Record that *name* of the layers below is removed."""
        self._marks.setdefault(_join(parent, name), "w")

    def mark_opaque(self, path: bytes) -> None:
        """Record that the layers below show nothing in directory *path*."""
        self._marks[path] = "o"

    def directories(self) -> Iterator[tuple[bytes, Inode]]:
        """Yield every directory."""
        for path, inode in self._inodes.items():
            if inode.kind == "d":
                yield path, inode

    def place(self, name: bytes) -> tuple[bytes, bytes]:
        """Return the resolved parent and the last component of a member's name.

        The last component is never followed; for the top it is ".".
        """
        parts = _normalised(name)
        if not parts:
            return TOP, TOP
        parent = b"/".join(parts[:-1]) or TOP
        known = self._inodes.get(parent)
        if parent != TOP and (known is None or known.kind != "d"):
            parent = self._resolve(parts[:-1], name)
        if len(parent) + 1 + len(parts[-1]) > _PATH_LIMIT:
            raise CorruptData(f"tar: the name {text(name[:60])}... is too long")
        return parent, parts[-1]

    def missing_parents(self, parent: bytes) -> list[bytes]:
        """Return the directories to make so that *parent* exists, outermost first."""
        missing = []
        while parent != TOP and parent not in self._inodes:
            missing.append(parent)
            parent = parent.rpartition(b"/")[0] or TOP
        return missing[::-1]

    def rows(self) -> Iterator[dict[str, Any]]:
        """Yield the rows of the layer's table."""
        first: dict[int, bytes] = {}
        for path, inode in self._inodes.items():
            row = _row(path, inode)
            if inode.names > 1 and inode.kind != "d":
                known = first.setdefault(id(inode), path)
                if known != path:
                    row["h"] = known.decode("latin-1")
            yield row
        for path, mark in self._marks.items():
            if (kind := self._settled(path, mark)) is not None:
                yield {"p": path.decode("latin-1"), "t": kind}

    def _settled(self, path: bytes, mark: str) -> str | None:
        """Return the mark that is left of *mark* once the layer is complete.

        A whiteout is about the layers below, wherever in the archive it stands: next
        to a directory of the same layer it makes that one opaque, next to anything
        else it says nothing new.
        """
        inode = self._inodes.get(path)
        if inode is not None or path == TOP:
            return "o" if path == TOP or (inode and inode.kind == "d") else None
        parent = self._inodes.get(path.rpartition(b"/")[0] or TOP)
        is_below_directory = b"/" not in path or (parent and parent.kind == "d")
        return "w" if mark == "w" and is_below_directory else None

    def _resolve(self, parts: list[bytes], name: bytes) -> bytes:
        """Follow the symlinks among *parts*; what is missing stays as it is."""
        todo = parts[::-1]
        done: list[bytes] = []
        links = 0
        while todo:
            part = todo.pop()
            if part == b"..":
                if not done:
                    raise CorruptData(f"tar: {text(name)} leaves the root through a symlink")
                done.pop()
                continue
            path = b"/".join([*done, part])
            inode = self._inodes.get(path)
            if inode is None or inode.kind == "d":
                done.append(part)
                continue
            links += 1
            if inode.kind != "l" or links > _LINK_LIMIT:
                raise CorruptData(
                    f"tar: {text(name)} lies below {text(path)}, which is no directory"
                )
            if inode.link.startswith(b"/"):
                done = []
            target = [item for item in inode.link.split(b"/") if item not in (b"", b".")]
            todo += target[::-1]
            if any(len(item) > _NAME_LIMIT for item in target):
                raise CorruptData(f"tar: the name {text(name)} is too long")
        return b"/".join(done) or TOP

    def _forget(self, inode: Inode) -> None:
        inode.names -= 1
        if inode.names == 0:
            self.size -= inode.size


def _normalised(name: bytes) -> list[bytes]:
    """Return the components of *name*, "." and ".." taken out as text."""
    parts: list[bytes] = []
    for part in name.split(b"/"):
        if part in (b"", b"."):
            continue
        if part == b"..":
            if not parts:
                raise CorruptData(f"tar: the member {text(name)} leaves the root")
            parts.pop()
            continue
        if len(part) > _NAME_LIMIT:
            raise CorruptData(f"tar: the name {text(part[:60])}... is too long")
        parts.append(part)
    return parts


def _row(path: bytes, inode: Inode) -> dict[str, Any]:
    row: dict[str, Any] = {
        "p": path.decode("latin-1"),
        "t": inode.kind,
        "m": inode.mode,
        "u": inode.uid,
        "g": inode.gid,
        "mt": inode.mtime_ns,
    }
    if inode.kind in "cb":
        row["rdev"] = inode.rdev
    if inode.kind == "l":
        row["l"] = inode.link.decode("latin-1")
    if inode.xattrs:
        row["x"] = {
            name.decode("latin-1"): base64.b64encode(value).decode()
            for name, value in inode.xattrs.items()
        }
    return row


def _parent(path: bytes) -> bytes:
    return path.rpartition(b"/")[0] or TOP


def _note_child(children: dict[bytes, set[bytes]], path: bytes) -> None:
    if path != TOP:
        children.setdefault(_parent(path), set()).add(path)


def _join(parent: bytes, name: bytes) -> bytes:
    return name if parent == TOP else parent + b"/" + name
