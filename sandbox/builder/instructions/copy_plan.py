# SPDX-License-Identifier: MIT
"""Plan COPY and ADD: the entries of the new layer, and its key.

How it works: `plan` reads the views and decides every entry, by path; a later source wins.
The plan yields the layer (`layers.layer_writer`); the digest of its content is part of the
key.

Does not know: where views come from, how a layer is stored.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from sandbox.builder.errors import StepFailed
from sandbox.builder.file_views import (
    Fact,
    View,
    clean,
    join,
    opener,
    resolve,
    walk,
)
from sandbox.builder.instructions.patterns import deep_matches, has_pattern, matches
from sandbox.dockerfile.chmod import new_mode, parent_mode
from sandbox.layers.tar_writer import PackEntry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from typing import BinaryIO

_CHUNK = 1024 * 1024


@dataclass(frozen=True)
class Wanted:
    """One source: a view and a path in it."""

    view: View
    path: str
    shown: str = ""
    """The path as error messages show it."""
    rename: bytes = b""
    """The base name of a file that has none of its own (a download)."""
    is_tree: bool = False
    """The whole view is an unpacked archive, which keeps its owners."""


@dataclass(frozen=True)
class Target:
    """The destination and its options."""

    destination: str
    workdir: str = "/"
    owner: tuple[int, int] | None = None
    chmod: str = ""
    parents: bool = False
    linked: bool = False
    excluded: Callable[[str], bool] | None = None
    now_ns: int = 0
    latest_ns: int | None = None


@dataclass(frozen=True)
class Piece:
    """One entry of the layer."""

    fact: Fact
    open: Callable[[], BinaryIO] | None = None
    is_given: bool = False
    """A parent directory that the stage has already."""


@dataclass
class TransferPlan:
    """The entries by path."""

    pieces: dict[bytes, Piece] = field(default_factory=dict)

    def entries(self) -> Iterator[PackEntry]:
        """Yield the entries of the layer, parents first."""
        for path in sorted(self.pieces):
            fact = self.pieces[path].fact
            yield PackEntry(
                path=path,
                kind=fact.kind,
                mode=fact.mode,
                uid=fact.uid,
                gid=fact.gid,
                mtime_ns=fact.mtime_ns,
                size=fact.size,
                link=fact.link,
                rdev=fact.rdev,
                xattrs=fact.xattrs,
                inode=fact.inode,
                open=self.pieces[path].open,
            )

    def digest(self) -> str:
        """Return the digest of the content, without times."""
        whole = hashlib.sha256()
        for path in sorted(self.pieces):
            piece = self.pieces[path]
            fact = piece.fact
            attributes = [
                path.decode("latin-1"), fact.kind, fact.mode, fact.uid, fact.gid, fact.size,
                fact.link.decode("latin-1"), fact.rdev,
                sorted((k.decode("latin-1"), v.hex()) for k, v in fact.xattrs.items()),
            ]  # fmt: skip
            whole.update(json.dumps(attributes).encode())
            if piece.open is not None and fact.size:
                with piece.open() as file:
                    content = hashlib.sha256()
                    while data := file.read(_CHUNK):
                        content.update(data)
                whole.update(content.digest())
        return whole.hexdigest()


def plan(sources: list[Wanted], target: Target, stage: View | None) -> TransferPlan:
    """Decide every entry; *stage* holds the stage's files, None if they do not matter."""
    made = _Plan(target, stage)
    found = [(source, path) for source in sources for path in _found(source, target)]
    is_folder = (
        target.destination.endswith(("/", "/."))
        or target.destination in (".", "")
        or len(found) > 1
        or len(sources) > 1
    )
    for source, path in found:
        made.add(source, path, is_folder=is_folder)
    return made.result


def _found(source: Wanted, target: Target) -> list[bytes]:
    """Return the paths that match a source; links in them are not followed yet."""
    if source.is_tree:
        return [b""]
    if target.parents and "**" in source.path:
        top, pivot, pattern = source.path.partition("/./")
        if not pivot:
            return deep_matches(source.view, b"", source.path)
        tops = matches(source.view, top) if has_pattern(top) else [clean(top)]
        return [path for below in tops for path in deep_matches(source.view, below, pattern)]
    plain = source.path.replace("/./", "/")
    if has_pattern(plain):
        found = matches(source.view, plain)
        if found or source.view.fact(resolve(source.view, clean(plain))) is None:
            return found
    path = clean(plain)
    if source.view.fact(resolve(source.view, path)) is None:
        shown = source.shown or "/" + os.fsdecode(path)
        raise StepFailed(
            "failed to compute cache key: failed to calculate checksum of ref: "
            f'"{shown}": not found'
        )
    return [path]


class _Plan:
    """A plan under construction."""

    def __init__(self, target: Target, stage: View | None) -> None:
        self.result = TransferPlan()
        self._target = target
        self._stage = None if target.linked else stage
        self._base = self._resolved(os.path.join(target.workdir, target.destination))

    def _resolved(self, path: str) -> bytes:
        cleaned = clean(path)
        return cleaned if self._stage is None else resolve(self._stage, cleaned)

    def _present(self, path: bytes) -> Fact | None:
        if path in self.result.pieces:
            return self.result.pieces[path].fact
        return None if self._stage is None else self._stage.fact(path)

    def add(self, source: Wanted, path: bytes, *, is_folder: bool) -> None:
        """Add *path* of a source."""
        real = path if source.is_tree else resolve(source.view, path)
        top = source.view.fact(real)
        if top is None:
            return
        if self._target.parents:
            base = self._below_parents(source, path)
        elif top.kind == "d":
            base = self._base
        else:
            here = self._present(self._base)
            into = is_folder or not self._base or (here is not None and here.kind == "d")
            name = source.rename or path.rpartition(b"/")[2]
            base = join(self._base, name) if into else self._base
        for name, fact in walk(source.view, real):
            if self._is_excluded(join(path, name) if name else path, name):
                continue
            at = join(base, name) if name and base else name or base
            self._put(source, at, join(real, name) if name else real, fact, is_top=not name)

    def _is_excluded(self, path: bytes, name: bytes) -> bool:
        excluded = self._target.excluded
        if excluded is None:
            return False
        return excluded(os.fsdecode(path)) or bool(name and excluded(os.fsdecode(name)))

    def _below_parents(self, source: Wanted, path: bytes) -> bytes:
        """Keep the source's parent directories, after a "/./" if there is one."""
        _, pivot, kept = source.path.partition("/./")
        depth = len(clean(source.path.partition("/./")[0]).split(b"/")) if pivot else 0
        parts = path.split(b"/")[depth:]
        del kept
        at = self._base
        for place, part in enumerate(parts[:-1]):
            at = join(at, part)
            real = resolve(source.view, b"/".join(path.split(b"/")[: depth + place + 1]))
            fact = source.view.fact(real)
            if fact is not None and fact.kind == "d" and at not in self.result.pieces:
                self._put(source, at, real, fact, is_top=False)
        return join(at, parts[-1])

    def _put(self, source: Wanted, at: bytes, real: bytes, fact: Fact, *, is_top: bool) -> None:
        present = self._present(at) if at else Fact("d", 0o755)
        if fact.kind == "d" and present is not None and present.kind != "d":
            raise StepFailed(f"cannot copy to non-directory: /{os.fsdecode(at)}")
        if not at:
            return
        if fact.kind == "d" and is_top and not self._target.parents and not source.is_tree:
            self._need(at)  # the content of the source is copied, not the directory itself
            return
        self._need(at.rpartition(b"/")[0])
        if fact.kind != "d" and present is not None and present.kind == "d":
            raise StepFailed(f"cannot replace to directory /{os.fsdecode(at)} with file")
        content = opener(source.view, real) if fact.kind == "f" else None
        self.result.pieces[at] = Piece(self._adapted(fact, at, source), content)

    def _adapted(self, fact: Fact, at: bytes, source: Wanted) -> Fact:
        target = self._target
        changes = replace(fact, mtime_ns=self._time(fact.mtime_ns))
        if target.owner is not None:
            changes = replace(changes, uid=target.owner[0], gid=target.owner[1])
        if target.chmod and fact.kind != "l":
            changes = replace(changes, mode=new_mode(target.chmod, fact.mode, fact.kind == "d"))
        if fact.inode is not None:
            changes = replace(changes, inode=(id(source.view), fact.inode))
        del at
        return changes

    def _time(self, nanoseconds: int) -> int:
        latest = self._target.latest_ns
        return nanoseconds if latest is None else min(nanoseconds, latest)

    def _need(self, path: bytes) -> None:
        """Add the directories down to *path* to the layer."""
        parts = path.split(b"/") if path else []
        for depth in range(len(parts)):
            here = b"/".join(parts[: depth + 1])
            if here in self.result.pieces:
                continue
            fact = self._present(here)
            if fact is not None and fact.kind == "d":
                self.result.pieces[here] = Piece(fact, is_given=True)
                continue
            if fact is not None:
                raise StepFailed(f"mkdir /{os.fsdecode(here)}: not a directory")
            uid, gid = self._target.owner or (0, 0)
            moment = self._time(self._target.now_ns)
            mode = parent_mode(self._target.chmod)
            self.result.pieces[here] = Piece(Fact("d", mode, uid, gid, moment))
