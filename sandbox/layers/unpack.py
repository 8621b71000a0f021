# SPDX-License-Identifier: MIT
"""Unpacks the tar of one layer into diff/ and meta.jsonl.

Source of the archive's rules: the OCI image specification (layer changesets), containerd.

How it works: every entry is also kept in a table (kind, attributes, link target). Names from the
archive are resolved in that table before any call to the host. The C core creates plain
members, which are nearly all, many at a time.

Host files are plain files with mode ``0600 | mode``, directories have ``0700 | mode``. The
table meta.jsonl holds everything that a host file of an ordinary user cannot have: owner,
setuid bits, device numbers, extended attributes, whiteouts. It has one JSON object a line,
parents before children::

    p path ("." is the top)       m mode & 07777    g gid          rdev [major, minor]
    t f d l c b p, w whiteout,    u uid             mt mtime, ns   x {name: base64}
      o opaque directory          l link target     h first path of the same file

Paths and link targets are bytes read as Latin-1, so that any name fits in JSON.

Rules: the parents of a member are resolved inside the top, as in containerd. A name or a link on
the way that leads above the top is refused. Later members replace earlier ones. Nothing is ever
written through a symlink. Blocks of zeros become holes.

Must not know: where the finished layer goes, its image.
"""

from __future__ import annotations

import errno
import os
from contextlib import ExitStack, closing
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import msgspec

from sandbox.errors import CorruptData, Unsupported, map_os_errors
from sandbox.layers.byte_streams import HashingReader, decompressed
from sandbox.layers.layer_entries import Entries
from sandbox.layers.memory_budget import Memory
from sandbox.layers.original_blob import BlobKeeper
from sandbox.layers.read_ahead import ReadAhead
from sandbox.layers.tar_fields import text
from sandbox.layers.tar_reader import TarStream
from sandbox.layers.whiteout import Mark, classify
from sandbox.native.host_tree import HostTree
from sandbox.native.layer_table import QuickMembers, Record
from sandbox.store.layers import LayerInfo
from sandbox.store.layout import DIFF, INFO, META
from sandbox.store.program_digests import record_programs

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.layers.byte_streams import Readable
    from sandbox.layers.memory_budget import Share
    from sandbox.layers.tar_entry import TarEntry
    from sandbox.models.digest import Digest
    from sandbox.models.oci import Descriptor

_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_RESERVE = 64 * 1024 * 1024  # bytes that stay free on large file systems
_HOLE = 64 * 1024
_ZEROS = bytes(_HOLE)
_MEMBER_ERRORS = frozenset(
    {
        errno.EEXIST,
        errno.EFBIG,
        errno.EILSEQ,
        errno.EINVAL,
        errno.ELOOP,
        errno.EMLINK,
        errno.ENAMETOOLONG,
        errno.ENOTDIR,
    }
)
_MEMBER_LIMIT = 3_000_000
_REPORTED = 256  # members between two requests for memory


@dataclass(frozen=True)
class UnpackedLayer:
    """A complete layer in *path*, not yet in the store's place for it."""

    diff_id: Digest
    path: Path
    info: LayerInfo
    blob: Descriptor | None = None


def unpack_layer(
    source: Readable,
    into: Path,
    *,
    keep: Path | None = None,
    ahead: bool = True,
    share: Share | None = None,
) -> UnpackedLayer:
    """Unpack a layer's tar, compressed or not, into the empty directory *into*.

    *keep* is the file that receives the blob (see `original_blob`). *ahead* must be false for a
    source that may block for ever, since a blocked reading thread cannot be stopped. *share*
    grants memory (see `memory_budget`); None means no other layer needs any.

    Raises CorruptData, DigestMismatch, Unsupported, StoreError, GiveWay.
    """
    share = share or Memory().share()
    if keep is None:
        reader = HashingReader(decompressed(source, share), limit=free_bytes(into))
        return _unpack(reader, into, ahead=ahead, share=share)
    with map_os_errors("cannot keep the layer"), closing(BlobKeeper(source, keep)) as keeper:
        limit = free_bytes(into)
        reader = HashingReader(decompressed(keeper, share), limit=limit, copy=keeper.feed)
        layer = _unpack(reader, into, ahead=ahead, share=share)
        while keeper.read(_HOLE):
            pass
        return replace(layer, blob=keeper.finish())


def _unpack(
    reader: HashingReader,
    into: Path,
    *,
    ahead: bool,
    share: Share,
) -> UnpackedLayer:
    with map_os_errors("cannot unpack the layer"), ExitStack() as stack:
        os.mkdir(into / DIFF, 0o755)
        tree = stack.enter_context(closing(HostTree(into / DIFF)))
        entries = stack.enter_context(closing(Entries(into)))
        unpacker = _Unpacker(entries, tree, share)
        if ahead:
            with ReadAhead(reader) as stream:
                unpacker.run_quickly(stream)
                stream.drain()
        else:
            unpacker.run(TarStream(reader.read))
            reader.drain()
        unpacker.finish()
        info = _write_tables(entries, into)
    return UnpackedLayer(reader.digest, into, info)


def free_bytes(path: Path) -> int:
    """Return the number of bytes that a layer may take on the file system of *path*."""
    with map_os_errors(f"cannot read {path}"):
        status = os.statvfs(path)
    total = status.f_blocks * status.f_frsize
    free = status.f_bavail * status.f_frsize
    return max(0, free - min(_RESERVE, total // 100))


def _write_tables(entries: Entries, into: Path) -> LayerInfo:
    with (into / META).open("wb") as file:
        info = LayerInfo(entries.table.size, entries.table.write(file.fileno()))
    (into / INFO).write_bytes(msgspec.json.encode(info))
    record_programs(into)
    return info


class _Unpacker:
    """The unpacking of one archive."""

    def __init__(self, entries: Entries, tree: HostTree, share: Share) -> None:
        self._entries = entries
        self._stream = TarStream(lambda _: b"")
        self._tree = tree
        self._umask = _umask()
        self._share = share
        self._count = 0
        self._next_report = 0
        self._quick: QuickMembers | None = None

    def run(self, stream: TarStream) -> None:
        """Create all members, one by one."""
        self._stream = stream
        for member in stream:
            self._note(1)
            try:
                self._add(member)
            except OSError as exc:
                if exc.errno in _MEMBER_ERRORS:
                    raise CorruptData(
                        f"tar: cannot make {text(member.name)}: {os.strerror(exc.errno)}"
                    ) from exc
                raise

    def run_quickly(self, ahead: ReadAhead) -> None:
        """Create all members, the plain ones in the C core."""
        top = self._tree.directory(b".")

        def plain() -> int:
            piece, at = ahead.peek()
            taken, members, error = quick.run(piece, at)
            ahead.skip(taken)
            self._note(members)
            if error:
                raise self._failed(error, piece[at + taken :])
            return taken

        with QuickMembers(self._entries.table, top, self._umask) as quick:
            self._quick = quick
            self.run(TarStream(ahead.read, quick=plain))

    def finish(self) -> None:
        """Set the times of directories, after everything in them is created."""
        self._entries.table.set_times(self._tree.directory(b"."))

    def _note(self, members: int) -> None:
        self._count += members
        if self._count > _MEMBER_LIMIT:
            raise Unsupported(f"the layer has more than {_MEMBER_LIMIT} members")
        if self._count >= self._next_report:
            self._share.members(self._count)
            self._next_report = self._count + _REPORTED

    def _failed(self, error: int, header: bytes) -> Exception:
        """Return the exception for an error about the plain member with that header."""
        if error not in _MEMBER_ERRORS:
            return OSError(error, os.strerror(error))
        name = text(header[:100].partition(b"\0")[0])
        return CorruptData(f"tar: cannot make {name}: {os.strerror(error)}")

    def _add(self, member: TarEntry) -> None:
        parent, name = self._entries.place(member.name)
        mark, target = classify(name)
        if name == b".":
            self._add_top(member)
            return
        if mark is Mark.IGNORED:
            return
        self._make_parents(parent, member.mtime_ns)
        if mark is Mark.OPAQUE:
            self._entries.mark_opaque(parent)
        elif mark is Mark.WHITEOUT:
            self._entries.mark_whiteout(parent, target)
        else:
            self._make(member, parent, name)

    def _add_top(self, member: TarEntry) -> None:
        if member.kind != "d":
            raise CorruptData(f"tar: {text(member.name)} would replace the root")
        self._entries.put(b".", _record(member), member.xattrs)
        os.chmod(self._tree.directory(b"."), 0o700 | member.mode & 0o777)

    def _make_parents(self, parent: bytes, mtime_ns: int) -> None:
        for path in self._entries.missing_parents(parent):
            above, _, name = path.rpartition(b"/")
            self._note(1)
            os.mkdir(name, 0o755, dir_fd=self._tree.directory(above or b"."))
            self._entries.put(path, Record("d", 0o755, 0, 0, mtime_ns))

    def _make(self, member: TarEntry, parent: bytes, name: bytes) -> None:
        path = name if parent == b"." else parent + b"/" + name
        old = self._entries.get(path)
        if member.kind == "h":
            self._make_link(member, parent, name, path)
            return
        if old is not None and not old.kind == member.kind == "d":
            self._remove(parent, name)
        fd = self._tree.directory(parent)
        mode = member.mode & 0o777
        if member.kind == "d":
            is_new = old is None or old.kind != "d"
            if is_new:
                os.mkdir(name, 0o700 | mode, dir_fd=fd)
            if not is_new or mode & self._umask:
                os.chmod(name, 0o700 | mode, dir_fd=fd)
        elif member.kind == "l":
            if not member.link:
                raise CorruptData(f"tar: the symlink {text(member.name)} has no target")
            os.symlink(member.link, name, dir_fd=fd)
            times = (member.mtime_ns, member.mtime_ns)
            os.utime(name, ns=times, dir_fd=fd, follow_symlinks=False)
        else:
            self._make_file(member, name, fd)
        self._entries.put(path, _record(member), member.xattrs)

    def _make_file(self, member: TarEntry, name: bytes, dir_fd: int) -> None:
        mode = 0o600 | member.mode & 0o777
        fd = os.open(name, _NEW_FILE, mode, dir_fd=dir_fd)
        try:
            if member.kind == "f":
                end = 0
                for offset, data in self._stream.chunks():
                    end = write_with_holes(fd, offset, data) or end
                if end != member.size:
                    os.ftruncate(fd, member.size)
            if mode & self._umask:
                os.fchmod(fd, mode)
            os.utime(fd, ns=(member.mtime_ns, member.mtime_ns))
        finally:
            os.close(fd)

    def _make_link(self, member: TarEntry, parent: bytes, name: bytes, path: bytes) -> None:
        target_parent, target_name = self._entries.place(member.link)
        target = target_name if target_parent == b"." else target_parent + b"/" + target_name
        if target == path and self._entries.get(path) is not None:
            return
        if self._entries.get(path) is not None:
            self._remove(parent, name)
        inode = self._entries.get(target)
        if inode is None or inode.kind == "d":
            raise CorruptData(
                f"tar: {text(member.name)} is a hard link to {text(member.link)},"
                " which is " + ("missing" if inode is None else "a directory")
            )
        source = os.dup(self._tree.directory(target_parent))
        try:
            os.link(
                target_name,
                name,
                src_dir_fd=source,
                dst_dir_fd=self._tree.directory(parent),
                follow_symlinks=False,
            )
        finally:
            os.close(source)
        self._entries.link(path, target)

    def _remove(self, parent: bytes, name: bytes) -> None:
        self._tree.remove(parent, name, self._entries.remove)
        if self._quick is not None:
            self._quick.forget()


def _record(member: TarEntry) -> Record:
    major, minor = member.rdev
    if not (0 <= major < 1 << 12 and 0 <= minor < 1 << 20):
        raise CorruptData(f"tar: {text(member.name)} has an impossible device number")
    return Record(
        kind=member.kind,
        mode=member.mode,
        uid=member.uid,
        gid=member.gid,
        mtime_ns=member.mtime_ns,
        size=member.size,
        link=member.link if member.kind == "l" else b"",
        rdev=member.rdev,
    )


def _umask() -> int:
    """Return the process's umask."""
    with open("/proc/self/status", encoding="ascii", errors="replace") as lines:
        for line in lines:
            if line.startswith("Umask:"):
                return int(line.split()[1], 8)
    return 0o777  # not known: chmod every file


def write_with_holes(fd: int, offset: int, data: bytes) -> int:
    """Write *data* at *offset*, except its blocks of zeros, which become holes.

    Returns the offset after the last byte written; 0 if all of *data* is zeros.
    """
    end = 0
    view = memoryview(data)
    for start in range(0, len(view), _HOLE):
        part = view[start : start + _HOLE]
        if part == _ZEROS[: len(part)]:
            continue
        done = 0
        while done < len(part):
            done += os.pwrite(fd, part[done:], offset + start + done)
        end = offset + start + done
    return end
