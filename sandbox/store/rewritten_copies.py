# SPDX-License-Identifier: MIT
"""Copies of layers' program files in which system call instructions jump into the runtime.

How it works: a container's processes note where they trapped. After the container ends, `learn`
writes or renews a copy of each such file beside the layer: ``rewritten/<inode number>``.
``rewritten.json`` lists the copies, with their sites, digests, and what `stat` says of the file
and of its copy. `attach` lists them for the next container, whose programs map them.

Rules:
- A guest is believed nothing but that a call instruction might be at an offset. The file is one
  of the layer's, has the digest that the layer was unpacked with, and each site is verified in its
  bytes (csrc/layers/rewritten_build.c).
- A copy whose `stat` has changed is used only if its digest, and that of its file, are right.
- Copies only save time: a full disk or a read-only store is no error, and no lock is waited for. A
  container of the image host can read, and so lock, every file of the user.
- Guests may read ``rewritten/`` and nothing else of this.
"""

from __future__ import annotations

import errno
import json
import os
import stat
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.errors import NativeError
from sandbox.models.record import Record, field, replace
from sandbox.native import rewritten_files
from sandbox.store.lock import acquire, open_lock
from sandbox.store.program_digests import read_digests, record_programs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

COPIES = "rewritten"
_LIST = "rewritten.json"
_LOCK = "rewritten.lock"
_FORM = 2  # of the copies; those of another form are made anew
_OLD_COPIES = "text"  # of releases that believed the guest
_MOST_FILES = 64  # that one container makes the host side look at
_MOST_REFUSED = 1024  # offsets without a site that are remembered, so that they are tried once
_LARGEST = 256 << 20
_USELESS = (
    errno.ENOSPC,
    errno.ENOEXEC,
    errno.EACCES,
    errno.EPERM,
    errno.EROFS,
    errno.EDQUOT,
    errno.ENOENT,
    errno.ELOOP,
)
_OPEN = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC


class Copy(Record, frozen=True):
    """A copy of the layer's file at *path*; *made* is empty until one could be made.

    *stamp* and *made_stamp* are inode number, size, mtime and ctime of the two files.
    """

    path: str
    digest: str
    stamp: tuple[int, ...] = (0, 0, 0, 0)
    made: str = ""
    made_stamp: tuple[int, ...] = (0, 0, 0, 0)
    sites: tuple[int, ...] = field(default_factory=tuple)
    refused: tuple[int, ...] = field(default_factory=tuple)


def attach(control_path: str, layer_dirs: Iterable[str]) -> None:
    """List the copies of these layers' files in the control file."""
    found = [
        (copy.stamp[0], _place(layer, copy))
        for layer in map(os.path.dirname, layer_dirs)
        for copy in read_list(layer).values()
        if is_sound(layer, copy)
    ]
    if found:
        rewritten_files.attach(control_path, found)


def learn(control_path: str, layer_dirs: Iterable[str]) -> None:
    """Write the copies that the container's programs could have used."""
    layers = {f"{os.path.realpath(diff)}/": os.path.dirname(diff) for diff in layer_dirs}
    found: dict[str, set[int]] = {}
    with _forgiving():  # rm -f may already have removed the control file
        found = rewritten_files.learned(control_path) if layers else {}
    for host, offsets in islice(found.items(), _MOST_FILES):
        for diff, layer in layers.items():
            if host.startswith(diff):
                with _forgiving():
                    renew(layer, os.fsencode(host[len(diff) :]).decode("latin-1"), offsets)


@contextmanager
def _forgiving() -> Iterator[None]:
    """Let pass what only means that there will be no copy."""
    try:
        yield
    except (OSError, NativeError) as exc:
        if exc.errno not in _USELESS:
            raise


def renew(layer: str, path: str, offsets: Iterable[int]) -> None:
    """Make the copy of a layer's file have the sites at these offsets and those listed already."""
    wanted = set(offsets)
    if not _is_new(read_list(layer).get(path), wanted):
        return
    lock = open_lock(f"{layer}/{_LOCK}")
    try:
        if not acquire(lock, wait=False):
            return  # the next container finds the same sites
        listed = read_list(layer)
        if _is_new(listed.get(path), wanted):
            made = _renewed(layer, path, listed.get(path), wanted)
            if made is not None:
                _write_list(layer, {**listed, path: made})
    finally:
        os.close(lock)


def is_sound(layer: str, copy: Copy) -> bool:
    """Tell whether the copy may be mapped in place of the layer's file."""
    if not copy.made:
        return False
    file = os.path.join(layer, "diff", os.fsdecode(copy.path.encode("latin-1")))
    try:
        stamps = _stamp(os.lstat(file)), _stamp(os.lstat(_place(layer, copy)))
        if stamps == (copy.stamp, copy.made_stamp):
            return True
        return (
            stamps[0][0] == copy.stamp[0]
            and _digest(_read(file)) == copy.digest
            and _digest(_read(_place(layer, copy))) == copy.made
        )
    except OSError:
        return False


def unsound(layer: Path, *, repair: bool) -> list[str]:
    """Return the files of a layer whose copies are not what the file and its sites make.

    With *repair*, such copies are no longer listed.
    """
    listed = read_list(os.fspath(layer))
    found = [copy for copy in listed.values() if copy.made and not _is_right(layer, copy)]
    if repair and found:
        kept = {path: copy for path, copy in listed.items() if copy not in found}
        _write_list(os.fspath(layer), kept)
    return [copy.path for copy in found]


def read_list(layer: str) -> dict[str, Copy]:
    """Return the copies of a layer's files by path."""
    try:
        with open(f"{layer}/{_LIST}", "rb") as file:
            return {copy.path: copy for copy in map(_from_row, json.load(file))}
    except (OSError, ValueError, LookupError, TypeError):
        return {}


def _is_right(layer: Path, copy: Copy) -> bool:
    import tempfile

    try:
        data = _read(layer / "diff" / os.fsdecode(copy.path.encode("latin-1")))
        if _digest(data) != copy.digest or not is_sound(os.fspath(layer), copy):
            return False
        with tempfile.TemporaryDirectory(dir=layer, prefix=".check-") as draft:
            rewritten_files.build(data, f"{draft}/made", copy.sites)
            return _digest(_read(f"{draft}/made")) == copy.made
    except (OSError, NativeError):
        return False


def _is_new(copy: Copy | None, offsets: set[int]) -> bool:
    return copy is None or not offsets <= {*copy.sites, *copy.refused}


def _renewed(layer: str, path: str, old: Copy | None, offsets: set[int]) -> Copy | None:
    """Write the copy; None if the file is not the layer's."""
    import shutil  # imported late, as tempfile: most runs learn nothing
    import tempfile

    host = os.path.join(layer, "diff", os.fsdecode(path.encode("latin-1")))
    digests = read_digests(Path(layer))
    if digests is None:  # the layer was unpacked by an earlier release
        record_programs(Path(layer))
        digests = read_digests(Path(layer)) or {}
    if path not in digests:
        return None
    data = _read(host)
    digest = _digest(data)
    if digests[path] != digest:
        return None
    if old is None or old.digest != digest:
        old = Copy(path, digest)
    every = sorted({*old.sites, *offsets} - set(old.refused))
    shutil.rmtree(f"{layer}/{_OLD_COPIES}", ignore_errors=True)
    os.makedirs(f"{layer}/{COPIES}", mode=0o700, exist_ok=True)
    stamp = _stamp(os.lstat(host))
    with tempfile.TemporaryDirectory(dir=f"{layer}/{COPIES}", prefix=".new-") as draft:
        done, are_sites = rewritten_files.build(data, f"{draft}/made", every)
        sites = [offset for offset, is_site in zip(every, are_sites, strict=True) if is_site]
        refused = [*old.refused, *(set(every) - set(sites))][:_MOST_REFUSED]
        made = replace(old, stamp=stamp, sites=tuple(sites), refused=tuple(refused), made="")
        if done:
            made = replace(made, made=_digest(_read(f"{draft}/made")))
            os.rename(f"{draft}/made", _place(layer, made))
            made = replace(made, made_stamp=_stamp(os.lstat(_place(layer, made))))
    return made


def _write_list(layer: str, listed: dict[str, Copy]) -> None:
    temporary = f"{layer}/.{_LIST}-{os.getpid()}"
    with open(temporary, "w", encoding="ascii") as file:
        json.dump([_to_row(copy) for copy in listed.values()], file)
    os.rename(temporary, f"{layer}/{_LIST}")


def _place(layer: str, copy: Copy) -> str:
    return f"{layer}/{COPIES}/{copy.stamp[0]}"


def _stamp(status: os.stat_result) -> tuple[int, int, int, int]:
    if not stat.S_ISREG(status.st_mode):
        raise OSError(errno.ENOEXEC, "no file")
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _read(path: str | Path) -> bytes:
    fd = os.open(path, _OPEN)
    with open(fd, "rb") as file:
        size = _stamp(os.fstat(fd))[1]
        if size > _LARGEST:
            raise OSError(errno.ENOEXEC, "the file is too large")
        return file.read(size)


def _digest(data: bytes) -> str:
    import hashlib  # a supervisor does without it

    return hashlib.sha256(data).hexdigest()


def _to_row(copy: Copy) -> list[object]:
    return [
        copy.path,
        copy.digest,
        copy.stamp,
        copy.made,
        copy.made_stamp,
        copy.sites,
        copy.refused,
        _FORM,
    ]


def _from_row(row: list[Any]) -> Copy:
    path, digest, stamp, made, made_stamp, sites, refused, form = row
    if form != _FORM or not (all(isinstance(text, str) for text in (path, digest, made)) and stamp):
        raise TypeError
    return Copy(
        path,
        digest,
        _numbers(stamp),
        made,
        _numbers(made_stamp),
        _numbers(sites),
        _numbers(refused),
    )


def _numbers(row: Iterable[Any]) -> tuple[int, ...]:
    return tuple(map(int, row))
