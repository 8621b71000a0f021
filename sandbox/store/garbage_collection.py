# SPDX-License-Identifier: MIT
"""Removes content that nothing needs, and measures the space this frees.

Rules: the store's lock is held from the decision to the removal. Images, build records and the
pins of running pulls decide what is needed. Downloads and workspaces in use are left alone.
"""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from sandbox.errors import map_os_errors
from sandbox.models.digest import Digest, chain_ids
from sandbox.store.atomic_files import discard, leftovers
from sandbox.store.build_cache import chains_of_builds
from sandbox.store.disk_usage import disk_usage
from sandbox.store.images import ImageStore
from sandbox.store.layers import remove_index
from sandbox.store.lock import acquire, store_lock
from sandbox.store.pins import pinned

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from sandbox.store.layout import Layout


@dataclass
class Swept:
    """The names of removed content, and the bytes on disk that this freed."""

    names: list[str] = field(default_factory=list)
    freed: int = 0


def sweep(layout: Layout) -> Swept:
    """Remove unused layers, blobs and indexes, and the remains of killed processes."""
    swept = Swept()
    if not layout.root.is_dir():
        return swept
    with store_lock(layout), map_os_errors("cannot clean the store"):
        _drop_leftovers(layout, swept)
        store = ImageStore(layout)
        needs = store.needs()
        chains = {
            chain
            for image_id in store.own_ids()
            for chain in chain_ids(store.read(image_id).layers)
        } | chains_of_builds(layout)
        for path in (*_unneeded(layout.layers, needs), *_unneeded(layout.blobs, needs)):
            _discard(path, layout, swept)
        for path in _unneeded(layout.indexes, chains):
            swept.freed += disk_usage([path])
            remove_index(layout, Digest(f"sha256:{path.name.partition('.')[0]}"))
        for path in _listed(layout.root / "site-indexes"):
            swept.freed += disk_usage([path])
            discard(path, layout=layout)
        for path in _listed(layout.downloads):
            if _is_free(path):
                _discard(path, layout, swept)
    return swept


def drop_leftovers(layout: Layout) -> Swept:
    """Remove the workspaces that killed processes left behind."""
    swept = Swept()
    if layout.root.is_dir():
        with store_lock(layout), map_os_errors("cannot clean the store"):
            _drop_leftovers(layout, swept)
    return swept


def _drop_leftovers(layout: Layout, swept: Swept) -> None:
    for path in leftovers(layout):
        swept.freed += disk_usage([path])
        discard(path, layout=layout)


def forget(layout: Layout, digests: Iterable[Digest]) -> None:
    """Remove those of *digests* (layers or blobs) that no image and no pull needs."""
    with store_lock(layout):
        for digest in set(digests) - ImageStore(layout).needs():
            discard(layout.layer(digest), layout=layout)
            discard(layout.blob(digest), layout=layout)


def drop_blobs(layout: Layout) -> Swept:
    """Remove the blobs of layers that can be pulled again from a registry."""
    swept = Swept()
    if not layout.root.is_dir():
        return swept
    with store_lock(layout), map_os_errors("cannot remove the blobs"):
        kept = pinned(layout)
        doomed: set[Digest] = set()
        for image in ImageStore(layout).all():
            blobs = {Digest(blob.digest) for blob in (*image.blobs, *image.lower_blobs)}
            if image.repo_digests:
                doomed |= blobs
            kept |= {image.id, *((image.manifest,) if image.manifest else ())}
        for digest in sorted(doomed - kept):
            if layout.blob(digest).exists():
                _discard(layout.blob(digest), layout, swept)
    return swept


def _discard(path: Path, layout: Layout, swept: Swept) -> None:
    swept.freed += disk_usage([path])
    swept.names.append(f"sha256:{path.name}")
    discard(path, layout=layout)


def _unneeded(directory: Path, needs: set[Digest]) -> Iterator[Path]:
    for path in _listed(directory):
        if Digest(f"sha256:{path.name.partition('.')[0]}") not in needs:
            yield path


def _listed(directory: Path) -> list[Path]:
    return sorted(directory.iterdir()) if directory.is_dir() else []


def _is_free(path: Path) -> bool:
    """Return whether no process is downloading into *path*."""
    try:
        fd = os.open(path, os.O_RDWR | os.O_CLOEXEC | os.O_NOFOLLOW)
    except OSError:
        return False
    try:
        return acquire(fd, wait=False)
    finally:
        os.close(fd)
