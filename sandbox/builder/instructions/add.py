# SPDX-License-Identifier: MIT
"""ADD beyond COPY: URLs, git repositories, and archives, which are unpacked."""

from __future__ import annotations

import hashlib
import os
import posixpath
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from sandbox.builder import build_context
from sandbox.builder.errors import StepFailed
from sandbox.builder.file_views import Fact, HostView, Written, clean, resolve
from sandbox.builder.instructions.copy_plan import Wanted
from sandbox.builder.instructions.patterns import has_pattern, matches
from sandbox.dockerfile.remote_sources import is_git, is_url
from sandbox.errors import SandboxError
from sandbox.layers.byte_streams import HashingReader, decompressed
from sandbox.layers.layer_tar import read_rows
from sandbox.layers.unpack import unpack_layer
from sandbox.store.layout import DIFF, META

if TYPE_CHECKING:
    from contextlib import ExitStack
    from pathlib import Path
    from typing import BinaryIO

    from sandbox.builder.build_job import Build
    from sandbox.builder.file_views import View
    from sandbox.dockerfile.instructions import Add

_HEAD = 512


def added(build: Build, instruction: Add, context: View, stack: ExitStack) -> list[Wanted]:
    """Return the sources of an ADD."""
    del stack
    found: list[Wanted] = []
    for source in instruction.sources:
        if is_git(source):
            if instruction.checksum and instruction.checksum.startswith("sha256:"):
                raise StepFailed("checksum can't be specified for git sources as sha256")
            keep = bool(instruction.keep_git_dir)
            root = build_context.clone(source, build.shop.folder("git"), keep_git=keep)
            found.append(Wanted(HostView(os.fspath(root)), "/"))
        elif is_url(source):
            found.append(_downloaded(build, instruction, source))
        elif instruction.unpack is False:
            found.append(Wanted(context, source))
        else:
            found += _local(build, context, source)
    return found


def _downloaded(build: Build, instruction: Add, url: str) -> Wanted:
    data, modified = build_context.download(url)
    if instruction.checksum:
        got = "sha256:" + hashlib.sha256(data).hexdigest()
        if got != instruction.checksum:
            raise StepFailed(f"digest mismatch {got}: {instruction.checksum}")
    name = posixpath.basename(unquote(urlsplit(url).path).rstrip("/")) or "__unnamed__"
    if instruction.unpack:
        import io

        into = build.shop.folder("archive")
        if _holds_tar(io.BytesIO(data)):
            unpack_layer(io.BytesIO(data), into)
            return Wanted(UnpackedView(into), "/", is_tree=True)
    written = Written({os.fsencode(name): data}, mode=0o600, mtime_ns=int(modified * 10**9))
    return Wanted(written, name)


def _local(build: Build, context: View, source: str) -> list[Wanted]:
    """Return the files that match a pattern; archives among them are unpacked."""
    paths = matches(context, source) if has_pattern(source) else [clean(source)]
    found = []
    for path in paths:
        real = resolve(context, path)
        fact = context.fact(real)
        if fact is not None and fact.kind == "f" and _is_archive(context, real):
            into = build.shop.folder("archive")
            with context.open(real) as file:
                unpack_layer(file, into)
            found.append(Wanted(UnpackedView(into), "/", is_tree=True))
        else:
            found.append(Wanted(context, source if not has_pattern(source) else _quoted(path)))
    return found


def _quoted(path: bytes) -> str:
    """Return the pattern that matches exactly this path."""
    text = os.fsdecode(path)
    return "".join(f"\\{char}" if char in "*?[\\" else char for char in text)


def _is_archive(view: View, path: bytes) -> bool:
    with view.open(path) as file:
        return _holds_tar(file)


def _holds_tar(file: BinaryIO) -> bool:
    try:
        head = HashingReader(decompressed(file)).read(_HEAD)
    except SandboxError:
        return False
    return build_context.is_tar(head)


class UnpackedView:
    """An archive that was unpacked like a layer; its table holds the owners."""

    def __init__(self, folder: Path) -> None:
        """Read diff/ and the table below *folder*."""
        self._top = os.fsencode(folder / DIFF)
        self._facts: dict[bytes, Fact] = {b"": Fact("d", 0o755)}
        self._names: dict[bytes, list[bytes]] = {}
        import base64

        for row in read_rows(folder / META):
            if row.t in "wo" or row.p == ".":
                continue
            path = row.p.encode("latin-1")
            first = (row.h or row.p).encode("latin-1")
            size = os.lstat(self._top + b"/" + path).st_size if row.t == "f" else 0
            xattrs = {k.encode("latin-1"): base64.b64decode(v) for k, v in (row.x or {}).items()}
            self._facts[path] = Fact(
                row.t, row.m, row.u, row.g, row.mt, size, row.l.encode("latin-1"), row.rdev,
                xattrs, first if row.t != "d" else None,
            )  # fmt: skip
            parent, _, name = path.rpartition(b"/")
            self._names.setdefault(parent, []).append(name)

    def fact(self, path: bytes) -> Fact | None:
        """Return the facts of *path*."""
        return self._facts.get(path)

    def names(self, path: bytes) -> list[bytes]:
        """Return the names in a directory."""
        return sorted(self._names.get(path, []))

    def open(self, path: bytes) -> BinaryIO:
        """Return the content of a regular file."""
        return open(self._top + b"/" + path, "rb")
