# SPDX-License-Identifier: MIT
"""Stacks of layers on disk, as the unpacker leaves them, and their merged tree.

A layer is a list of Member in archive order. `write_layer` writes its diff/ and meta.jsonl.
`merge` is a plain merge of such lists: the oracle of the index and of look-ups.
"""

from __future__ import annotations

import base64
import json
import os
import pathlib
import stat
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from sandbox.native import core

TYPES = {"d": stat.S_IFDIR, "f": stat.S_IFREG, "l": stat.S_IFLNK, "p": stat.S_IFIFO}
TYPES |= {"c": stat.S_IFCHR, "b": stat.S_IFBLK}
MTIME_NS = 1_600_000_000_123_456_789


@dataclass(frozen=True)
class Member:
    """One row of a layer's table. The kinds `w` and `o` are the two whiteouts."""

    path: str
    kind: str = "f"
    mode: int = 0o644
    text: str = ""  # content of a file, target of a symlink
    link_to: str = ""  # hard link
    uid: int = 0
    gid: int = 0
    rdev: tuple[int, int] = (0, 0)
    xattrs: Mapping[str, bytes] = field(default_factory=dict)


def write_layer(folder: pathlib.Path, members: Sequence[Member]) -> tuple[str, str]:
    """Return (diff, meta.jsonl) of a new layer in *folder*."""
    diff = folder / "diff"
    diff.mkdir(parents=True)
    rows = []
    for member in members:
        if member.kind not in "wo":
            _write_file(diff / member.path, member, diff)
        rows.append(_row(member))
    meta = folder / "meta.jsonl"
    meta.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return os.fspath(diff), os.fspath(meta)


def _write_file(path: pathlib.Path, member: Member, diff: pathlib.Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    if member.kind == "d":
        path.mkdir(exist_ok=True)
    elif member.link_to:
        path.hardlink_to(diff / member.link_to)
    elif member.kind == "l":
        path.symlink_to(member.text)
    else:
        path.write_text(member.text if member.kind == "f" else "")


def _row(member: Member) -> dict[str, object]:
    row: dict[str, object] = {
        "p": member.path.encode().decode("latin-1"),
        "t": member.kind,
        "m": member.mode,
        "u": member.uid,
        "g": member.gid,
        "mt": MTIME_NS,
    }
    if member.kind == "l":
        row["l"] = member.text
    if member.kind in "cb":
        row["rdev"] = member.rdev
    if member.link_to:
        row["h"] = member.link_to
    if member.xattrs:
        row["x"] = {name: base64.b64encode(value).decode() for name, value in member.xattrs.items()}
    return row


def merge(layers: Sequence[Sequence[Member]]) -> dict[str, Member]:
    """Return the visible members by path; the root, "", is not among them."""
    tree: dict[str, Member] = {}
    for layer in layers:
        for member in layer:
            if member.kind in "wo":
                below = [path for path in tree if path.startswith(member.path + "/")]
                for path in below:
                    del tree[path]
                if member.kind == "w":
                    tree.pop(member.path, None)
        for member in layer:
            if member.kind not in "wo":
                _lay_over(tree, member)
    return tree


def _lay_over(tree: dict[str, Member], member: Member) -> None:
    parts = member.path.split("/")
    for depth in range(1, len(parts)):
        parent = "/".join(parts[:depth])
        if parent not in tree or tree[parent].kind != "d":
            tree[parent] = Member(parent, "d", 0o755)
    if member.kind != "d":
        for path in [path for path in tree if path.startswith(member.path + "/")]:
            del tree[path]
    tree[member.path] = member


@dataclass(frozen=True)
class Container:
    """The paths of a container's files."""

    root: pathlib.Path

    @property
    def store(self) -> str:
        return os.fspath(self.root / "store")

    @property
    def index(self) -> str:
        return os.fspath(self.root / "store" / "index")

    @property
    def control(self) -> str:
        return os.fspath(self.root / "run" / "control")

    @property
    def upper(self) -> pathlib.Path:
        return self.root / "container" / "upper"

    def spec(self, mounts: Sequence[core.Mount] = (), **changes: object) -> core.ControlSpec:
        """Return the values of this container's control file."""
        fields: dict[str, object] = {
            "run_dir": os.fspath(self.root / "run"),
            "store_root": self.store,
            "upper_dir": os.fspath(self.upper),
            "owners_path": os.fspath(self.root / "container" / "owners"),
            "index_path": self.index,
            "hostname": "box",
            "host_uid": os.getuid(),
            "host_gid": os.getgid(),
            "mounts": mounts,
        }
        return core.ControlSpec(**(fields | changes))  # type: ignore[arg-type]


def make_container(
    root: pathlib.Path,
    layers: Sequence[Sequence[Member]],
    mounts: Sequence[core.Mount] = (),
    **changes: object,
) -> Container:
    """Write the layers, their index and a control file below *root*."""
    container = Container(root)
    sources = [
        write_layer(root / "store" / "layers" / str(number), members)
        for number, members in enumerate(layers)
    ]
    (root / "store").mkdir(exist_ok=True)
    (root / "run").mkdir()
    container.upper.parent.mkdir()
    core.build_index(sources, container.index)
    core.create_control(container.control, container.spec(mounts, **changes))
    return container


@contextmanager
def open_tree(
    root: pathlib.Path,
    layers: Sequence[Sequence[Member]],
    mounts: Sequence[core.Mount] = (),
    **changes: object,
) -> Iterator[core.Tree]:
    """Give the tree of a new container with these layers."""
    container = make_container(root, layers, mounts, **changes)
    with core.Tree.open(container.control) as tree:
        yield tree
