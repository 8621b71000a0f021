# SPDX-License-Identifier: MIT
"""Checks a store, and repairs what can be repaired without losing data.

Rules: a *problem* makes the store unsound. A *note* is harmless, for example the remains of a
killed process; a repair removes them. The check never removes data of a container. It runs
under the store's lock.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass
from typing import TYPE_CHECKING

import msgspec

from sandbox.errors import ContainerNotFound, SandboxError, map_os_errors
from sandbox.models import oci
from sandbox.models.digest import Digest, chain_ids
from sandbox.models.image import host_image, parse_config
from sandbox.models.reference import parse_reference
from sandbox.store.atomic_files import discard, leftovers, remove_tree
from sandbox.store.blobs import is_whole, read_blob
from sandbox.store.build_cache import chains_of_builds, kept_by_builds
from sandbox.store.containers import ContainerStore
from sandbox.store.images import ImageStore, content_of
from sandbox.store.layers import is_index_fresh, read_layer_info, remove_index
from sandbox.store.lock import store_lock
from sandbox.store.pins import pinned
from sandbox.store.program_digests import changed_programs
from sandbox.store.rewritten_copies import unsound
from sandbox.store.tags import Tags, read_own_tags, write_tags

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sandbox.store.layout import Layout


@dataclass(frozen=True)
class Finding:
    """One problem or note."""

    text: str
    is_problem: bool
    is_repaired: bool = False

    def __str__(self) -> str:
        """Return the line for the user."""
        kind = "problem" if self.is_problem else "note"
        return f"{kind}: {self.text}" + (" (repaired)" if self.is_repaired else "")


class _Row(msgspec.Struct):
    p: str
    t: str


def check(layout: Layout, *, repair: bool) -> list[Finding]:
    """Return all findings, problems first; with *repair*, repair them first."""
    if not layout.root.exists():
        return []
    if repair:
        layout.prepare()
    with store_lock(layout), map_os_errors("cannot check the store"):
        checker = _Checker(layout, repair=repair)
        findings = list(checker.run())
    return sorted(findings, key=lambda finding: not finding.is_problem)


class _Checker:
    """One check. Images come first, since they decide what else is needed."""

    def __init__(self, layout: Layout, *, repair: bool) -> None:
        self._layout = layout
        self._repair = repair
        self._stacks: dict[Digest, tuple[Digest, ...]] = {}  # image -> layers
        self._content = pinned(layout) | kept_by_builds(layout)

    def run(self) -> Iterator[Finding]:
        yield from self._leftovers()
        yield from self._images()
        yield from self._tags()
        yield from self._blobs()
        yield from self._layers()
        yield from self._indexes()
        yield from self._containers()

    def _leftovers(self) -> Iterator[Finding]:
        for path in leftovers(self._layout):
            yield self._note(f"tmp/{path.name}: left behind by a killed process")
            if self._repair:
                remove_tree(path)

    def _images(self) -> Iterator[Finding]:
        store = ImageStore(self._layout)
        for image_id in store.own_ids():
            try:
                image = store.read(image_id)
                self._stacks[image_id] = image.layers
                self._content |= content_of(image)
            except SandboxError as exc:
                yield Finding(f"image {image_id}: {exc.message}", is_problem=True)
                self._stacks[image_id] = self._layers_of(image_id)

    def _layers_of(self, image_id: Digest) -> tuple[Digest, ...]:
        """Return the layers of an image, even if its record is damaged."""
        try:
            return parse_config(read_blob(self._layout, image_id))[1]
        except SandboxError:
            return ()

    def _tags(self) -> Iterator[Finding]:
        try:
            tags = read_own_tags(self._layout)
        except SandboxError as exc:
            yield Finding(exc.message, is_problem=True, is_repaired=self._repair)
            tags = Tags()
            if self._repair:
                write_tags(self._layout, tags)
        dangling = [
            name
            for table in (tags.tags, tags.digests)
            for name, target in table.items()
            if not self._exists(Digest(target)) or not _is_reference(name)
        ]
        for name in dangling:
            yield self._problem(f"tag {name} refers to an image that does not exist")
            tags.drop(name)
        if dangling and self._repair:
            write_tags(self._layout, tags)

    def _exists(self, image_id: Digest) -> bool:
        return self._layout.home(image_id).image(image_id).exists()

    def _blobs(self) -> Iterator[Finding]:
        for path in _listed(self._layout.blobs):
            digest = Digest(f"sha256:{path.name}")
            if digest in self._stacks:
                if not is_whole(self._layout, digest):
                    text = f"the blob {digest} in the store is damaged"
                    yield Finding(text, is_problem=True)
            elif digest not in self._content:
                yield self._unused(path, "a blob that no image uses")
            elif not is_whole(self._layout, digest):
                # Only save and push use the blob of a layer, and they can do without it.
                yield self._problem(f"the blob {digest} in the store is damaged")
                if self._repair:
                    discard(path, layout=self._layout)

    def _layers(self) -> Iterator[Finding]:
        needed = {layer for layers in self._stacks.values() for layer in layers}
        pins = pinned(self._layout) | kept_by_builds(self._layout)
        for layer in sorted(needed):
            try:
                trouble = self._layer_trouble(layer)
            except SandboxError as exc:
                trouble = exc.message
            if trouble:
                yield Finding(f"layer {layer}: {trouble}", is_problem=True)
            else:
                yield from self._programs(layer)
        for path in _listed(self._layout.layers):
            if f"sha256:{path.name}" not in needed | pins:
                yield self._unused(path, "a layer that no image uses")

    def _programs(self, layer: Digest) -> Iterator[Finding]:
        """Compare the layer's programs with their digests, and the rewritten copies with both."""
        path = self._layout.layer(layer)
        for name in changed_programs(path):
            yield Finding(f"layer {layer}: the program {name!r} has changed", is_problem=True)
        for name in unsound(path, repair=self._repair):
            yield self._problem(f"layer {layer}: the rewritten copy of {name!r} is not its own")

    def _layer_trouble(self, layer: Digest) -> str | None:
        """Compare the layer's table with its files."""
        info = read_layer_info(self._layout, layer)
        table = self._layout.layer_meta(layer)
        if not table.is_file():
            return "its table is missing"
        rows = 0
        top = os.open(self._layout.layer_diff(layer), os.O_RDONLY | os.O_DIRECTORY)
        try:
            with table.open("rb") as lines:
                for line in lines:
                    row = oci.decode(line, _Row, what=f"row {rows + 1} of its table")
                    rows += 1
                    if not _fits(top, row):
                        return f"its file {row.p!r} is missing or has another type"
        finally:
            os.close(top)
        return None if rows == info.entries else "its table is truncated"

    def _indexes(self) -> Iterator[Finding]:
        stacks = {
            chain: layers[: depth + 1]
            for layers in self._stacks.values()
            for depth, chain in enumerate(chain_ids(layers))
        }
        of_builds = chains_of_builds(self._layout)
        for path in _listed(self._layout.indexes):
            chain = Digest(f"sha256:{path.name.removesuffix('.stamp')}")
            if path.name.endswith(".stamp"):
                if self._layout.index(chain).exists():
                    continue
                yield self._unused(path, "the stamp of a missing index")
            elif chain not in stacks and chain in of_builds:
                continue  # the next use checks it
            elif chain not in stacks:
                yield self._unused(path, "an index that no image uses")
            elif not is_index_fresh(self._layout, chain, stacks[chain]):
                yield self._note(f"index {path.name}: will be rebuilt")
                if self._repair:
                    remove_index(self._layout, chain)

    def _containers(self) -> Iterator[Finding]:
        store = ContainerStore(self._layout)
        for path in _listed(self._layout.containers):
            try:
                container = store.read(path.name)
            except SandboxError as exc:
                if isinstance(exc, ContainerNotFound) and not path.exists():
                    continue  # removed in the meantime
                text = f"container {path.name[:12]}: {exc.message}"
                yield Finding(text, is_problem=True)
                continue
            image_id = Digest(container.config.image_id)
            if self._exists(image_id) or image_id == host_image().id:
                continue
            text = f"container {path.name[:12]}: its image {image_id} is missing"
            yield Finding(text, is_problem=True)

    def _note(self, text: str) -> Finding:
        return Finding(text, is_problem=False, is_repaired=self._repair)

    def _problem(self, text: str) -> Finding:
        return Finding(text, is_problem=True, is_repaired=self._repair)

    def _unused(self, path: Path, what: str) -> Finding:
        if self._repair:
            discard(path, layout=self._layout)
        return self._note(f"{path.parent.name}/{path.name}: {what}")


def _listed(directory: Path) -> list[Path]:
    return sorted(directory.iterdir()) if directory.is_dir() else []


def _is_reference(name: str) -> bool:
    try:
        parse_reference(name)
    except SandboxError:
        return False
    return True


def _fits(top: int, row: _Row) -> bool:
    if row.t in "wo":
        return True
    try:
        mode = os.lstat(row.p.encode("latin-1"), dir_fd=top).st_mode
    except OSError:
        return False
    kinds = {"d": stat.S_ISDIR, "l": stat.S_ISLNK}
    return kinds.get(row.t, stat.S_ISREG)(mode)
