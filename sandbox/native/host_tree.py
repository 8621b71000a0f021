# SPDX-License-Identifier: MIT
"""A tree of files below one directory of the host, which a stranger may change meanwhile.

How it works: each call names a path below the top. csrc/base/sys_path.c opens the directory of
the path without following a link, and the call is made below that descriptor. So a directory that
is exchanged for a symlink leads nowhere. The last directory stays open, since neighbours come one
after the other.

Rules: paths are relative, normalised bytes; "." and "" are the top. No call follows a link at the
end of a path, waits for the other end of a FIFO, or leaves the tree. Methods raise OSError. One
thread may use a HostTree at a time.
"""

from __future__ import annotations

import errno
import os
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO

from sandbox.models.closable import Closing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TOP = b"."
_DIRECTORY = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_READ = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
_NEW_FILE = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_OWNER = 0o700


class HostTree(Closing):
    """The tree below the directory *top*; close it after use.

    Links in the path of *top* are followed, but at its end only with *follow*. *own* means that
    the user's rights may be taken from files and directories in the tree. They are given back for
    the time of a call.
    """

    def __init__(
        self, top: str | bytes | os.PathLike[str], *, own: bool = False, follow: bool = True
    ) -> None:
        self._own = own
        self._top, self._top_mode = _open_top(top, own, 0 if follow else os.O_NOFOLLOW)
        self._path: bytes | None = None
        self._fd = -1
        self._mode: int | None = None  # of the open directory, if it was changed

    def close(self) -> None:
        """Close all descriptors."""
        self._forget()
        if self._top >= 0:
            if self._top_mode is not None:
                _change_mode(self._top, self._top_mode)
            os.close(self._top)
            self._top = -1

    def __del__(self) -> None:
        """Close what the user of the tree left open."""
        with suppress(AttributeError):
            self.close()

    # -- directories

    def directory(self, path: bytes) -> int:
        """Return a descriptor of the directory *path*, valid until the next call.

        That of the top is valid until the tree is closed.
        """
        if path in (b"", TOP):
            return self._top
        if path == self._path:
            return self._fd
        from sandbox.native._native import lib  # imported late, for a quick start

        above, rest = self._top, path
        if self._path is not None and path.startswith(self._path + b"/"):
            above, rest = self._fd, path[len(self._path) + 1 :]
        fd: int = lib.sb_hosted_open_folder(above, rest, self._own)
        if fd < 0:
            raise OSError(-fd, os.strerror(-fd), path)
        self._forget()
        self._fd, self._path = fd, path
        if self._own:
            self._mode = _open_up(fd, _OWNER)
        return fd

    def place(self, path: bytes) -> tuple[int, bytes]:
        """Return the descriptor of the directory of *path*, valid until the next call; the name."""
        parent, _, name = path.rpartition(b"/")
        return self.directory(parent), name or TOP

    def _forget(self) -> None:
        if self._fd >= 0:
            if self._mode is not None:
                _change_mode(self._fd, self._mode)
            os.close(self._fd)
        self._fd, self._path, self._mode = -1, None, None

    # -- reading

    def stat(self, path: bytes) -> os.stat_result:
        """Return the status of *path*."""
        fd, name = self.place(path)
        return os.stat(name, dir_fd=fd, follow_symlinks=False)

    def names(self, path: bytes) -> list[bytes]:
        """Return the names in a directory, sorted."""
        return sorted(_names(self.directory(path)))

    def readlink(self, path: bytes) -> bytes:
        """Return the target of a symlink. Raises FileNotFoundError if it is something else."""
        fd, name = self.place(path)
        try:
            return os.readlink(name, dir_fd=fd)
        except OSError as exc:
            if exc.errno != errno.EINVAL:
                raise
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path) from exc

    def open_file(self, path: bytes) -> BinaryIO:
        """Open a regular file to read it. Raises OSError, with ESTALE if it is no regular file."""
        parent, name = self.place(path)
        fd = self._open(parent, name)
        if not stat.S_ISREG(os.fstat(fd).st_mode):
            os.close(fd)
            raise OSError(errno.ESTALE, os.strerror(errno.ESTALE), path)
        return open(fd, "rb")

    def _open(self, parent: int, name: bytes) -> int:
        try:
            return os.open(name, _READ, dir_fd=parent)
        except PermissionError:
            if not self._own:
                raise
        with _held(parent, name) as fd:
            mode = _open_up(fd, 0o600)
            if mode is None:
                raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), name)
            try:
                return os.open(_link(fd), _READ & ~os.O_NOFOLLOW)
            finally:
                _change_mode(fd, mode)

    def user_xattrs(self, path: bytes) -> dict[bytes, bytes]:
        """Return the extended attributes of a file that begin with ``user.``."""
        parent, name = self.place(path)
        full = os.fsencode(_link(parent)) + b"/" + name
        try:
            names = os.listxattr(full, follow_symlinks=False)
            return {
                key.encode(): os.getxattr(full, key, follow_symlinks=False)
                for key in names
                if key.startswith("user.")
            }
        except OSError:
            return {}

    # -- changing

    def create(self, path: bytes, mode: int = 0o600) -> BinaryIO:
        """Make a regular file, and open it to write."""
        fd, name = self.place(path)
        return open(os.open(name, _NEW_FILE, mode, dir_fd=fd), "wb")

    def mkdir(self, path: bytes, mode: int = 0o700) -> None:
        """Make a directory."""
        fd, name = self.place(path)
        os.mkdir(name, mode, dir_fd=fd)

    def mknod(self, path: bytes, mode: int, rdev: int = 0) -> None:
        """Make a FIFO or a device; *mode* includes its type."""
        fd, name = self.place(path)
        os.mknod(name, mode, rdev, dir_fd=fd)

    def symlink(self, target: bytes, path: bytes) -> None:
        """Make a symlink at *path*."""
        fd, name = self.place(path)
        os.symlink(target, name, dir_fd=fd)

    def link(self, source: bytes, path: bytes) -> None:
        """Make a hard link at *path*."""
        fd, name = self.place(source)
        above = os.dup(fd)
        try:
            fd, to = self.place(path)
            os.link(name, to, src_dir_fd=above, dst_dir_fd=fd, follow_symlinks=False)
        finally:
            os.close(above)

    def unlink(self, path: bytes) -> None:
        """Remove a name that is not a directory."""
        fd, name = self.place(path)
        os.unlink(name, dir_fd=fd)

    def chmod(self, path: bytes, mode: int) -> None:
        """Change the mode of a file that is no symlink."""
        parent, name = self.place(path)
        with _held(parent, name) as fd:
            if stat.S_ISLNK(os.fstat(fd).st_mode):
                raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), path)
            _change_mode(fd, mode)
        if name == TOP:
            self._top_mode = None

    def chown(self, path: bytes, uid: int, gid: int) -> None:
        """Change the owner."""
        fd, name = self.place(path)
        os.chown(name, uid, gid, dir_fd=fd, follow_symlinks=False)

    def utime(self, path: bytes, mtime_ns: int) -> None:
        """Set both times."""
        fd, name = self.place(path)
        os.utime(name, ns=(mtime_ns, mtime_ns), dir_fd=fd, follow_symlinks=False)

    def remove(self, parent: bytes, name: bytes, gone: Callable[[bytes], None]) -> None:
        """Remove an entry and everything below it; *gone* is called with each path."""
        fd = self.directory(parent)
        path = name if parent in (b"", TOP) else parent + b"/" + name
        if _is_directory(fd, name):
            self._remove_directory(fd, name, path, gone)
        else:
            os.unlink(name, dir_fd=fd)
        gone(path)

    def _remove_directory(
        self, parent_fd: int, name: bytes, path: bytes, gone: Callable[[bytes], None]
    ) -> None:
        """Empty and remove a directory without recursion, by moving nested directories up."""
        with self._emptied(parent_fd, name) as top:
            pending = [(entry, path + b"/" + entry) for entry in _names(top)]
            while pending:
                child, place = pending.pop()
                if not _is_directory(top, child):
                    os.unlink(child, dir_fd=top)
                else:
                    pending += self._hoist(top, child, place, gone)
                    os.rmdir(child, dir_fd=top)
                gone(place)
        os.rmdir(name, dir_fd=parent_fd)

    def _hoist(
        self, top: int, child: bytes, path: bytes, gone: Callable[[bytes], None]
    ) -> list[tuple[bytes, bytes]]:
        """Move the directories in *child* up into *top*, and unlink its other entries."""
        moved: list[tuple[bytes, bytes]] = []
        with self._emptied(top, child) as fd:
            for inner in _names(fd):
                place = path + b"/" + inner
                if _is_directory(fd, inner):
                    free = f".hoisted-{os.urandom(8).hex()}".encode()
                    self._free(fd, inner)
                    os.rename(inner, free, src_dir_fd=fd, dst_dir_fd=top)
                    moved.append((free, place))
                else:
                    os.unlink(inner, dir_fd=fd)
                    gone(place)
        return moved

    @contextmanager
    def _emptied(self, parent_fd: int, name: bytes) -> Iterator[int]:
        """Open a directory to remove what is in it."""
        self._free(parent_fd, name)
        fd = os.open(name, _DIRECTORY, dir_fd=parent_fd)
        try:
            yield fd
        finally:
            os.close(fd)

    def _free(self, parent_fd: int, name: bytes) -> None:
        """Give the owner his rights on a directory that goes away; a move needs them, too."""
        if self._own:
            with _held(parent_fd, name) as fd:
                _open_up(fd, _OWNER)


def _open_top(
    path: str | bytes | os.PathLike[str], own: bool, flags: int
) -> tuple[int, int | None]:
    """Open a directory; return its descriptor, and its mode before a change."""
    fd = os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC | flags)
    mode = _open_up(fd, _OWNER) if own else None
    try:
        readable = os.open(b".", _DIRECTORY, dir_fd=fd)
    except PermissionError:
        return fd, mode  # what may not be read can still be searched
    os.close(fd)
    return readable, mode


def _is_directory(fd: int, name: bytes) -> bool:
    return stat.S_ISDIR(os.stat(name, dir_fd=fd, follow_symlinks=False).st_mode)


def _names(fd: int) -> list[bytes]:
    return [os.fsencode(entry) for entry in os.listdir(fd)]


@contextmanager
def _held(parent: int, name: bytes) -> Iterator[int]:
    """Give a descriptor of what is there now, without a right to read it."""
    fd = os.open(name, os.O_PATH | os.O_NOFOLLOW | os.O_CLOEXEC, dir_fd=parent)
    try:
        yield fd
    finally:
        os.close(fd)


def _link(fd: int) -> str:
    return f"/proc/self/fd/{fd}"


def _change_mode(fd: int, mode: int) -> None:
    os.chmod(_link(fd), mode)


def _open_up(fd: int, rights: int) -> int | None:
    """Give the owner *rights* on an open file or directory; return the mode before a change."""
    status = os.fstat(fd)
    mode = stat.S_IMODE(status.st_mode)
    if mode & rights == rights or status.st_uid != os.geteuid():
        return None
    if not (stat.S_ISDIR(status.st_mode) or stat.S_ISREG(status.st_mode)):
        return None
    _change_mode(fd, mode | rights)
    return mode
