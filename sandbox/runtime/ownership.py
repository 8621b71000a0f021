# SPDX-License-Identifier: MIT
"""Owners and modes of files in volumes, kept beside the volume between containers.

How it works: what a host file cannot hold is in the owner table of one container. When
a container ends, what its table says of a volume's files is written to the volume;
when another one starts, it is told. Rows are relative to the volume.

Rules: the work is proportional to the volume. Nothing is written when nothing differs
from what a host file says by itself.

Does not know: where volumes are kept, beyond the path of the file.
"""

from __future__ import annotations

import json
import os
import stat
from contextlib import suppress
from threading import get_native_id
from typing import TYPE_CHECKING, Any

from sandbox.errors import NativeError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandbox.models.container import MountPoint
    from sandbox.native import core

_FILE = "owners.jsonl"


def _file_of(mount: MountPoint) -> str:
    return f"{os.path.dirname(mount.source)}/{_FILE}"


def restore(tree: core.Tree, mount: MountPoint) -> None:
    """Tell the container what is known of the files of a volume."""
    if mount.type == "bind":
        if mount.uid is not None or mount.gid is not None:
            _claim(tree, mount)
        return
    with suppress(FileNotFoundError), open(_file_of(mount), "rb") as file:
        for line in file:
            with suppress(ValueError, KeyError, NativeError):
                _apply(tree, os.fsencode(mount.target), json.loads(line))


def _apply(tree: core.Tree, top: bytes, row: dict[str, Any]) -> None:
    path = _below(top, row["p"].encode("latin-1"))
    status = tree.stat(path, follow=False)
    if (status.uid, status.gid) != (row["u"], row["g"]):
        tree.chown(path, row["u"], row["g"])
    if not stat.S_ISLNK(status.mode) and stat.S_IMODE(status.mode) != row["m"]:
        tree.chmod(path, row["m"])


def _claim(tree: core.Tree, mount: MountPoint) -> None:
    """Show the user's own files as those of the ids that were asked for."""
    for path, status in _walk(tree, os.fsencode(mount.target)):
        if (status.uid, status.gid) == (0, 0):
            with suppress(NativeError):
                tree.chown(path, mount.uid or 0, mount.gid or 0)


def save(tree: core.Tree, mount: MountPoint) -> None:
    """Keep what the container's table knows of the files of a volume."""
    if mount.type != "volume" or mount.read_only:
        return
    top = os.fsencode(mount.target)
    write(
        mount,
        [
            (path[len(top) :].lstrip(b"/"), status.uid, status.gid, stat.S_IMODE(status.mode))
            for path, status in _walk(tree, top)
        ],
    )


def write(mount: MountPoint, facts: Sequence[tuple[bytes, int, int, int]]) -> None:
    """Keep (name, uid, gid, mode) of a volume's files where the host's say otherwise."""
    rows = []
    for name, uid, gid, mode in facts:
        plain = mode
        with suppress(OSError):
            plain = stat.S_IMODE(os.lstat(_below(os.fsencode(mount.source), name)).st_mode)
        if (uid, gid) != (0, 0) or mode != plain:
            rows.append({"p": name.decode("latin-1"), "u": uid, "g": gid, "m": mode})
    target = _file_of(mount)
    if not rows and not os.path.exists(target):
        return
    draft = f"{target}.{get_native_id()}"
    with suppress(FileNotFoundError):  # the volume was removed by force
        with open(draft, "w", encoding="ascii") as file:
            file.writelines(json.dumps(row) + "\n" for row in rows)
        os.replace(draft, target)


def _walk(tree: core.Tree, top: bytes) -> Iterator[tuple[bytes, core.TreeStat]]:
    pending = [top]
    while pending:
        path = pending.pop()
        try:
            status = tree.stat(path, follow=False)
            names = tree.list(path) if stat.S_ISDIR(status.mode) else []
        except NativeError:
            continue  # it changes under us
        yield path, status
        pending += [_below(path, name) for name in names]


def _below(top: bytes, name: bytes) -> bytes:
    return top.rstrip(b"/") + b"/" + name if name else top
