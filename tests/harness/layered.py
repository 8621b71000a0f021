# SPDX-License-Identifier: MIT
"""A folder as the layers of an image: one layer, or two that merge to the same tree.

With two layers, each directory lies in both. A file lies in one layer, or the second replaces
the one of the first. The first layer holds more files, which the second hides with whiteouts,
opaque directories and other kinds of files. The merged tree is the folder, owned by root.

Does not know: programs, containers.
"""

from __future__ import annotations

import os
import pathlib
import stat
from collections.abc import Iterator
from dataclasses import replace

from tests.harness import images
from tests.harness.images import Member

MARK = b"of the first layer "
OLD = 1_500_000_000


def purge(folder: pathlib.Path) -> None:
    """Remove what no layer can hold: sockets, and the names of whiteouts."""
    for where, folders, files in os.walk(os.fsencode(folder), topdown=False):
        for name in [*files, *folders]:
            path = os.path.join(where, name)
            if stat.S_ISSOCK(os.lstat(path).st_mode) or name.startswith(b".wh."):
                times = os.stat(where)
                os.unlink(path)
                os.utime(where, ns=(times.st_atime_ns, times.st_mtime_ns))


def _paths(folder: bytes) -> Iterator[bytes]:
    yield folder
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        if entry.is_dir(follow_symlinks=False):
            yield from _paths(entry.path)
        else:
            yield entry.path


def members(folder: pathlib.Path) -> list[Member]:
    """Return a folder's tree as members of a layer, parents first, owned by root."""
    linked: dict[tuple[int, int], bytes] = {}
    found = []
    for path in _paths(os.fsencode(folder)):
        info = os.lstat(path)
        name = path.lstrip(b"/")
        key = info.st_dev, info.st_ino
        if key in linked and not stat.S_ISDIR(info.st_mode):
            found.append(images.hardlink(name, linked[key]))
            continue
        linked[key] = name
        found.append(_member(path, name, info))
    return found


def _member(path: bytes, name: bytes, info: os.stat_result) -> Member:
    mode = stat.S_IMODE(info.st_mode)
    seconds, rest = divmod(info.st_mtime_ns, 10**9)
    if stat.S_ISDIR(info.st_mode):
        member = images.directory(name, mode=mode)
    elif stat.S_ISLNK(info.st_mode):
        member = images.symlink(name, os.readlink(path))
    elif stat.S_ISFIFO(info.st_mode):
        member = images.fifo(name, mode=mode)
    else:
        member = images.file(name, pathlib.Path(os.fsdecode(path)).read_bytes(), mode=mode)
    member = replace(member, mtime=seconds, pax={"mtime": b"%d.%09d" % (seconds, rest)})
    for attribute in os.listxattr(path, follow_symlinks=False):
        if attribute.startswith("user."):
            member = images.xattr(member, attribute, os.getxattr(path, attribute))
    return member


def whole(folder: pathlib.Path) -> list[list[Member]]:
    """Return one layer with the folder."""
    return [members(folder)]


def split(folder: pathlib.Path) -> list[list[Member]]:
    """Return two layers that merge to the folder."""
    first: list[Member] = []
    second: list[Member] = []
    opaque: list[bytes] = []
    of_layer: dict[bytes, list[Member]] = {}
    folders = files = 0
    for member in members(folder):
        hidden = any(member.name.startswith(path + b"/") for path in opaque)
        if member.type == b"5":
            first.append(replace(member, mode=0o700, mtime=OLD, pax={}))
            second.append(member)
            marked = not hidden and folders % 3 == 1
            first += _more_than_shows(member.name)
            if not hidden:
                second += _marks(member.name, opaque=marked)
            opaque += [member.name] if marked else []
            folders += 1
        elif member.type == b"1":
            of_layer[member.link].append(member)
        else:
            layer = second if hidden or files % 2 else first
            if layer is second:
                first += _replaced(member, files // 2 % 4)
            layer.append(member)
            of_layer[member.name] = layer
            files += 1
    return [first, second]


def _more_than_shows(folder: bytes) -> list[Member]:
    name = folder + b"/" + MARK
    return [
        images.file(name + b"file", "gone"),
        images.directory(name + b"folder", mode=0o700),
        images.file(name + b"folder/inner", "gone"),
        images.symlink(name + b"link", "nowhere"),
    ]


def _marks(folder: bytes, *, opaque: bool) -> list[Member]:
    if opaque:
        return [images.file(folder + b"/.wh..wh..opq")]
    name = folder + b"/.wh." + MARK
    return [images.file(name + kind) for kind in (b"file", b"folder", b"link")]


def _replaced(member: Member, kind: int) -> list[Member]:
    """Return the first layer's entry at the name of a member of the second."""
    if kind == 0:
        return [images.file(member.name, "of the first layer", mode=0o600)]
    if kind == 1:
        inner = member.name + b"/inner"
        return [images.directory(member.name), images.file(inner, "of the first layer")]
    if kind == 2:
        return [images.symlink(member.name, "of the first layer")]
    return []
