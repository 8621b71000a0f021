# SPDX-License-Identifier: MIT
"""The merged tree of a container: its control file, its shared file, its index, its changes.

How it works: each function makes one call, or a loop of calls, to csrc/hosted/hosted.h. A negative
result becomes a NativeError. Guest paths are bytes, host paths are str.

Rules: a Tree acts as the container's root user; one thread may use it at a time. All lasting state
is in files: the upper directory and the owner table of the container, the two files in its run
directory, the store's indexes. Guests write the upper, the owner table and the shared file; every
path comes from the control file, which they cannot write.

Must not know: images, records of containers, how a guest is started.
"""

from __future__ import annotations

import errno
import os
import stat as stat_bits
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Self

from sandbox.errors import NativeError, from_os_error, map_os_errors
from sandbox.models.closable import Closing
from sandbox.native._native import ffi, lib
from sandbox.native.index import build_index, index_is_current
from sandbox.native.process_table import (
    MARK_RESOURCE,
    end,
    limit_pids,
    mark_of,
    name_main,
    pace,
    processes,
    show_limits,
    signal_process,
    take_mark,
)
from sandbox.native.tree_records import ControlSpec, EntryRequest, Mount, TreeStat

if TYPE_CHECKING:
    from sandbox.native.upper_changes import Changes

__all__ = [
    "MARK_RESOURCE",
    "ControlSpec",
    "EntryRequest",
    "Mount",
    "Names",
    "Tree",
    "TreeStat",
    "build_index",
    "create_control",
    "end",
    "guest_path",
    "index_is_current",
    "limit_pids",
    "mark_of",
    "name_main",
    "pace",
    "post_entry",
    "processes",
    "show_limits",
    "signal_process",
    "take_mark",
]

_PATH_MAX = 4096

_MOUNT_KINDS = {
    "bind": lib.SB_MOUNT_BIND,
    "tmpfs": lib.SB_MOUNT_TMPFS,
    "proc": lib.SB_MOUNT_PROC,
    "dev": lib.SB_MOUNT_DEV,
    "terminals": lib.SB_MOUNT_TERMINALS,
    "link": lib.SB_MOUNT_LINK,
    "limits": lib.SB_MOUNT_LIMITS,
}


Names = list[bytes]


def _check(result: int, doing: str) -> int:
    if result < 0:
        raise NativeError(-result, doing)
    return result


def _name(path: bytes) -> str:
    return os.fsdecode(path)


def guest_path() -> str:
    """Return the path of the guest program in this package."""
    return os.path.join(os.path.dirname(__file__), "sandbox-guest")


# ---- control file ---------------------------------------------------------------


def create_control(path: str, spec: ControlSpec) -> None:
    """Create the control file of a container that has no process, and the shared file beside it.

    Creates the owner table if it is missing, and reads the marks in the upper directory. The
    parent of the upper must exist, so that a container under removal is not created again.

    Raises NativeError, StoreError.
    """
    path = os.path.realpath(path)
    work = spec.work_dir or f"{os.path.dirname(spec.upper_dir)}/work"
    with map_os_errors("cannot prepare the container's own layer"):
        for folder, mode in ((work, 0o700), (spec.upper_dir, 0o755)):
            with suppress(FileExistsError):
                os.mkdir(folder, mode)
    kept: list[object] = []  # cffi does not keep the bytes behind a char * alive

    def text(value: str) -> object:
        kept.append(ffi.new("char[]", os.fsencode(value)))
        return kept[-1]

    def real(path: str) -> object:
        # The kernel reports paths with symlinks resolved (getcwd, /proc/self/fd).
        return text(os.path.realpath(path))

    count = len(spec.profile) // ffi.sizeof("struct sb_profile_step")
    steps = ffi.new("struct sb_profile_step[]", count)
    ffi.buffer(steps)[:] = spec.profile
    c_spec = ffi.new(
        "struct sb_hosted_spec *",
        {
            "store": real(spec.store_root),
            "run": real(spec.run_dir),
            "upper": real(spec.upper_dir),
            "work": real(work),
            "owners": real(spec.owners_path),
            "index": real(spec.index_path) if spec.index_path else text(""),
            "hostname": text(spec.hostname),
            "flags": (lib.SB_CONTROL_READ_ONLY if spec.read_only_root else 0)
            | (lib.SB_CONTROL_TRACE if spec.trace else 0)
            | (lib.SB_CONTROL_REWRITE if spec.rewrite else 0)
            | (lib.SB_CONTROL_TRACED if spec.traced else 0)
            | (lib.SB_CONTROL_STEPS if spec.steps else 0)
            | (lib.SB_CONTROL_UNFENCED if spec.unfenced else 0)
            | (lib.SB_CONTROL_ABSTRACT_SOCKETS if spec.abstract_sockets else 0)
            | (lib.SB_CONTROL_UNRULED if spec.unruled else 0)
            | (lib.SB_CONTROL_OLD_PROCESSOR if spec.old_processor else 0)
            | (lib.SB_CONTROL_NO_NEW_PRIVS if spec.no_new_privileges else 0)
            | (lib.SB_CONTROL_UNCONFINED if spec.unconfined else 0)
            | (lib.SB_CONTROL_FENCED if spec.fenced else 0)
            | (lib.SB_CONTROL_INIT if spec.init else 0),
            "host_uid": spec.host_uid,
            "host_gid": spec.host_gid,
            "net": real(spec.net_dir) if spec.net_dir else text(""),
            "net_log": real(spec.net_log) if spec.net_log else text(""),
            "net_container": spec.net_container,
            "ipc": real(spec.ipc_table) if spec.ipc_table else text(""),
            "ipc_prefix": spec.ipc_prefix,
            "caps": spec.capabilities,
            "profile": steps,
            "profile_len": len(steps),
        },
    )
    _check(lib.sb_hosted_create(os.fsencode(path), c_spec), f"cannot make {path}")
    with Tree.draft(path) as tree:
        for mount in sorted(spec.mounts, key=lambda mount: mount.guest.count("/")):
            tree.add_mount(mount)


def post_entry(control_path: str, request: EntryRequest) -> int:
    """Post a request for a process that is about to start; return the entry's number."""
    with Tree.open(control_path) as tree:
        return tree.post_entry(request)


# ---- tree ---------------------------------------------------------------------------


class Tree(Closing):
    """The merged tree of a container, accessed as its root user. Methods raise NativeError."""

    def __init__(self, handle: object) -> None:
        self._handle = handle
        self._stat = ffi.new("struct sb_hosted_stat *")

    @classmethod
    def open(cls, control_path: str) -> Self:
        """Map the container's files. Close the tree after use."""
        return cls._opened(lib.sb_hosted_open, control_path)

    @classmethod
    def draft(cls, control_path: str) -> Self:
        """Open the tree of a container without processes, to complete its control file."""
        return cls._opened(lib.sb_hosted_open_draft, control_path)

    @classmethod
    def _opened(cls, call: Any, control_path: str) -> Self:
        error = ffi.new("int *")
        handle = call(os.fsencode(control_path), error)
        if handle == ffi.NULL:
            raise NativeError(-error[0], f"cannot open {control_path}")
        return cls(handle)

    def close(self) -> None:
        """Unmap the files; the tree cannot be used any more."""
        lib.sb_hosted_close(self._handle)
        self._handle = ffi.NULL

    # -- reading

    def stat(self, path: bytes, *, follow: bool = True) -> TreeStat:
        """Return the status of *path*."""
        result = lib.sb_hosted_stat(self._handle, path, follow, self._stat)
        _check(result, _name(path))
        return self._tree_stat(path)

    def _tree_stat(self, path: bytes) -> TreeStat:
        found = self._stat
        is_link = stat_bits.S_ISLNK(found.mode)
        canonical = ffi.string(found.guest)
        return TreeStat(
            mode=found.mode,
            uid=found.uid,
            gid=found.gid,
            size=found.size,
            mtime_ns=found.mtime_sec * 1_000_000_000 + found.mtime_nsec,
            ino=found.ino,
            dev=found.dev,
            nlink=found.nlink,
            rdev=found.rdev,
            host_path=ffi.string(found.host) or None,
            link=self.readlink(path) if is_link else None,
            path=canonical,
            atime_ns=found.atime_sec * 1_000_000_000 + found.atime_nsec,
            is_upper=bool(found.is_upper),
            is_mount=bool(found.is_mount),
        )

    def exists(self, path: bytes, *, follow: bool = True) -> bool:
        """Return whether *path* exists."""
        result: int = lib.sb_hosted_stat(self._handle, path, follow, self._stat)
        return result == 0

    def resolve(self, path: bytes, *, follow: bool = True) -> bytes:
        """Return the canonical form of *path*; missing components are kept at its end."""
        out = ffi.new("char[]", _PATH_MAX)
        _check(lib.sb_hosted_resolve(self._handle, path, follow, out), _name(path))
        resolved: bytes = ffi.string(out)
        return resolved

    def readlink(self, path: bytes) -> bytes:
        """Return the target of the symlink *path*."""
        out = ffi.new("char[]", _PATH_MAX)
        count = lib.sb_hosted_readlink(self._handle, path, out, _PATH_MAX)
        _check(count, _name(path))
        return bytes(ffi.buffer(out, count))

    def list(self, path: bytes) -> Names:
        """Return the names in a directory without "." and "..", in no particular order."""
        return self._names(lib.sb_hosted_list, path)

    def _names(self, call: object, path: bytes) -> Names:
        out = ffi.new("char **")
        size = call(self._handle, path, out)  # type: ignore[operator]
        _check(size, _name(path))
        names = bytes(ffi.buffer(out[0], size)) if size else b""
        lib.sb_hosted_free(out[0])
        return names.split(b"\0")[:-1]

    def open_file(self, path: bytes) -> int:
        """Return a descriptor to read a regular file or a directory."""
        return _check(lib.sb_hosted_open_file(self._handle, path), _name(path))

    def xattrs(self, path: bytes) -> dict[bytes, bytes]:
        """Return the extended attributes; does not follow a symlink."""
        size = lib.sb_hosted_listxattr(self._handle, path, ffi.NULL, 0)
        _check(size, _name(path))
        if size == 0:
            return {}
        out = ffi.new("char[]", size)
        size = lib.sb_hosted_listxattr(self._handle, path, out, size)
        _check(size, _name(path))
        names = bytes(ffi.buffer(out, size)).split(b"\0")[:-1]
        found = {}
        for name in names:
            try:
                found[name] = self._xattr(path, name)
            except NativeError as exc:  # gone meanwhile, or a name that a guest made up
                if exc.errno not in (errno.ENODATA, errno.EOPNOTSUPP, errno.EINVAL):
                    raise
        return found

    def _xattr(self, path: bytes, name: bytes) -> bytes:
        size = lib.sb_hosted_getxattr(self._handle, path, name, ffi.NULL, 0)
        _check(size, _name(path))
        out = ffi.new("char[]", max(size, 1))
        size = lib.sb_hosted_getxattr(self._handle, path, name, out, size)
        _check(size, _name(path))
        return bytes(ffi.buffer(out, size))

    # -- what the container changed

    def changes(self, *, marks: Names | None = None) -> Changes:
        """Return the differences from the image, sorted by path, as Docker's A, C and D.

        The runtime's marks in the upper are appended to *marks*. The work is proportional to the
        container's layer, not to the image.
        """
        from sandbox.native.upper_changes import UpperChanges

        control = lib.sb_hosted_control(self._handle)
        found = UpperChanges(
            whiteout=ffi.string(control.whiteout),
            opaque=ffi.string(control.opaque),
            in_lower=self._in_lower,
            lower_names=self._lower_names,
        )
        try:
            found.read(self._upper)
        except OSError as exc:
            raise from_os_error(exc, doing="cannot read the container's own layer") from exc
        if marks is not None:
            marks += found.marks
        return sorted(found.changes, key=lambda change: change[1])

    @property
    def upper(self) -> str:
        """The host directory of the container's own layer."""
        return os.fsdecode(self._upper)

    @property
    def _upper(self) -> bytes:
        upper: bytes = ffi.string(lib.sb_hosted_upper(self._handle))
        return upper

    def _in_lower(self, path: bytes) -> bool:
        result: int = lib.sb_hosted_lower_stat(self._handle, path, self._stat)
        return result == 0

    def _lower_names(self, path: bytes) -> Names:
        try:
            return self._names(lib.sb_hosted_lower_list, path)
        except NativeError as exc:
            if exc.errno in (errno.ENOENT, errno.ENOTDIR):
                return []
            raise

    # -- changing

    def create(self, path: bytes, mode: int) -> int:
        """Create a regular file and return a descriptor to write it."""
        return _check(lib.sb_hosted_create_file(self._handle, path, mode), _name(path))

    def mkdir(self, path: bytes, mode: int) -> None:
        """Create a directory."""
        _check(lib.sb_hosted_mkdir(self._handle, path, mode), _name(path))

    def make_place(self, path: bytes, mode: int) -> None:
        """Create a mount point or a working directory, on a read-only root, too."""
        _check(lib.sb_hosted_make_place(self._handle, path, mode), _name(path))

    def mknod(self, path: bytes, mode: int, rdev: int = 0) -> None:
        """Create a device, FIFO or socket; *mode* includes its type."""
        _check(lib.sb_hosted_mknod(self._handle, path, mode, rdev), _name(path))

    def symlink(self, target: bytes, path: bytes) -> None:
        """Create a symlink at *path*."""
        _check(lib.sb_hosted_symlink(self._handle, target, path), _name(path))

    def link(self, source: bytes, path: bytes) -> None:
        """Create a hard link at *path*."""
        _check(lib.sb_hosted_link(self._handle, source, path), _name(path))

    def rename(self, source: bytes, path: bytes, flags: int = 0) -> None:
        """Rename *source*; *flags* are those of renameat2(2)."""
        _check(lib.sb_hosted_rename(self._handle, source, path, flags), _name(path))

    def unlink(self, path: bytes) -> None:
        """Remove a name that is not a directory."""
        _check(lib.sb_hosted_unlink(self._handle, path), _name(path))

    def rmdir(self, path: bytes) -> None:
        """Remove an empty directory."""
        _check(lib.sb_hosted_rmdir(self._handle, path), _name(path))

    def chmod(self, path: bytes, mode: int) -> None:
        """Change the permission bits."""
        _check(lib.sb_hosted_chmod(self._handle, path, mode), _name(path))

    def chown(self, path: bytes, uid: int, gid: int) -> None:
        """Change the owner; does not follow a symlink."""
        _check(lib.sb_hosted_chown(self._handle, path, uid, gid), _name(path))

    def utimens(self, path: bytes, atime_ns: int, mtime_ns: int) -> None:
        """Set the times in nanoseconds since 1970; does not follow a symlink."""
        _check(lib.sb_hosted_utimens(self._handle, path, atime_ns, mtime_ns), _name(path))

    def truncate(self, path: bytes, size: int) -> None:
        """Set the size of a regular file in bytes."""
        _check(lib.sb_hosted_truncate(self._handle, path, size), _name(path))

    def setxattr(self, path: bytes, name: bytes, value: bytes) -> None:
        """Set an extended attribute; does not follow a symlink."""
        result = lib.sb_hosted_setxattr(self._handle, path, name, value, len(value))
        _check(result, _name(path))

    def removexattr(self, path: bytes, name: bytes) -> None:
        """Remove an extended attribute; does not follow a symlink."""
        _check(lib.sb_hosted_removexattr(self._handle, path, name), _name(path))

    # -- control

    @property
    def handle(self) -> object:
        """The C object, for other modules of this package."""
        return self._handle

    def add_mount(self, mount: Mount) -> None:
        """Add a mount, while the container has no process."""
        kind = _MOUNT_KINDS[mount.kind]
        is_link = mount.kind == "link"
        guest = self.resolve(os.fsencode(mount.guest), follow=not is_link)
        flags = lib.SB_MOUNT_READ_ONLY if mount.read_only else 0
        host = os.fsencode(mount.host)
        what = f"cannot mount {mount.host} at {mount.guest}"
        with map_os_errors(what):  # another process may be changing the path
            if not is_link:
                host = os.path.realpath(host)
            top = os.path.realpath(os.fsencode(mount.within)) if mount.within else b""
        if mount.within and host != top and not host.startswith(top.rstrip(b"/") + b"/"):
            raise NativeError(errno.EXDEV, what)
        result = lib.sb_hosted_add_mount(
            self._handle, kind, flags, guest, host, mount.uid, mount.gid
        )
        _check(result, what)

    def post_entry(self, request: EntryRequest) -> int:
        """Post a request for a process that is about to start; return the entry's number."""
        groups = ffi.new("uint32_t[]", list(request.groups))
        return _check(
            lib.sb_hosted_post_entry(
                self._handle,
                os.fsencode(request.path),
                os.fsencode(request.cwd),
                request.umask,
                request.uid,
                request.gid,
                groups,
                len(groups),
                request.privileged,
            ),
            "cannot post the entry",
        )
