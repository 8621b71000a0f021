# SPDX-License-Identifier: MIT
"""The build cache: results of steps by key, and the directories of cache mounts.

How it works: the record of a step names the layer that the step made. The record's file name is
the step's key; its mtime is the last use. A record is written under the store's lock once its
layer is in the store, and the layer stays as long as the record does. Each directory of a cache
mount has a lock, which its users hold.

Must not know: how keys are computed.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

import msgspec

from sandbox.errors import SandboxError, map_os_errors
from sandbox.models import oci
from sandbox.models.digest import Digest
from sandbox.models.record import Record
from sandbox.store.atomic_files import discard, sync_file_system, write_atomic
from sandbox.store.lock import acquire, open_lock, store_lock

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from sandbox.store.layout import Layout

_LOCK = "lock"
_ABOUT = "about.json"
DATA = "data"


class Step(msgspec.Struct, frozen=True, omit_defaults=True):
    """The result of one step: a layer, and when it was made."""

    layer: str
    created: str
    description: str
    size: int = 0
    chain: str = ""
    """The chain id of the stack that ends with the layer; its index is kept."""
    blob: oci.Descriptor | None = None
    """The layer's blob, if it was imported from another cache."""
    boot: str = ""
    """The boot in which the layer was made; "" once the layer is synced to disk."""


class _About(msgspec.Struct, frozen=True):
    id: str


class Cached(Record, frozen=True):
    """A record or a cache mount's directory, for listing and removal."""

    id: str
    kind: str  # "regular" or "exec.cachemount", as in BuildKit
    description: str
    last_used: float
    created: float
    path: Path
    layer: Digest | None = None
    size: int = 0


def read_step(layout: Layout, key: str) -> Step | None:
    """Return the result stored under *key*, and update its last use; None if it is missing."""
    path = layout.build_step(key)
    try:
        step = oci.decode(path.read_bytes(), Step, what=str(path))
    except (OSError, SandboxError):
        return None
    if not layout.layer(Digest(step.layer)).is_dir() or not is_safe(step):
        return None
    with suppress(OSError):
        os.utime(path)
    return step


def write_step(layout: Layout, key: str, step: Step) -> None:
    """Store a result. The caller holds the store's lock, and the layer is in the store."""
    with map_os_errors(f"cannot write {layout.build_steps}"):
        layout.build_steps.mkdir(0o700, exist_ok=True)
    write_atomic(layout.build_step(key), oci.encode(step), layout=layout)


def settle(layout: Layout, keys: Iterable[str]) -> None:
    """Mark the layers of these records as synced to disk."""
    with store_lock(layout):
        for key in keys:
            with suppress(OSError, SandboxError):
                raw = layout.build_step(key).read_bytes()
                step = oci.decode(raw, Step, what=key)
                write_step(layout, key, msgspec.structs.replace(step, boot=""))


def sync_unsettled(layout: Layout, layers: Iterable[Digest]) -> None:
    """Sync the file system if a new image has *layers* that are not yet synced.

    The caller holds the store's lock.
    """
    unsettled = {Digest(step.layer) for _, step in steps(layout) if step.boot}
    if not unsettled.isdisjoint(layers):
        with map_os_errors("cannot sync the layers"):
            sync_file_system(layout.root)


def is_safe(step: Step) -> bool:
    """Tell whether the layer of a step is on the disk, or was made in this boot."""
    return not step.boot or step.boot == boot_id()


def boot_id() -> str:
    """Return the kernel's id of this boot."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return "unknown"


def steps(layout: Layout) -> Iterator[tuple[str, Step]]:
    """Yield every record with its key; damaged records are skipped."""
    for path in _listed(layout.build_steps):
        with suppress(OSError, SandboxError):
            yield path.stem, oci.decode(path.read_bytes(), Step, what=str(path))


def kept_by_builds(layout: Layout) -> set[Digest]:
    """Return the layers and blobs that records refer to. The caller holds the store's lock."""
    found: set[Digest] = set()
    for _, step in steps(layout):
        found.add(Digest(step.layer))
        if step.blob is not None:
            found.add(Digest(step.blob.digest))
    return found


def chains_of_builds(layout: Layout) -> set[Digest]:
    """Return the chain ids whose indexes are kept for builds."""
    return {Digest(step.chain) for _, step in steps(layout) if step.chain}


def everything(layout: Layout) -> list[Cached]:
    """Return all records and cache mounts, the least recently used first."""
    found = [
        Cached(
            id=key[:25],
            kind="regular",
            description=step.description,
            last_used=layout.build_step(key).stat().st_mtime,
            created=oci.seconds_of(step.created),
            path=layout.build_step(key),
            layer=Digest(step.layer),
            size=step.size,
        )
        for key, step in steps(layout)
    ]
    for path in _listed(layout.build_mounts):
        with suppress(OSError, SandboxError):
            about = oci.decode((path / _ABOUT).read_bytes(), _About, what=str(path))
            found.append(
                Cached(
                    id=path.name[:25],
                    kind="exec.cachemount",
                    description=f"cached mount {about.id}",
                    last_used=(path / _LOCK).stat().st_mtime,
                    created=(path / _ABOUT).stat().st_mtime,
                    path=path,
                )
            )
    return sorted(found, key=lambda item: item.last_used)


def drop(layout: Layout, item: Cached) -> bool:
    """Remove a record or a cache mount; return False if it is in use.

    The caller holds the store's lock, and afterwards removes layers without users.
    """
    if item.kind == "regular":
        discard(item.path, layout=layout)
        return True
    try:
        fd = open_lock(item.path / _LOCK)
    except OSError:
        return False
    try:
        if not acquire(fd, wait=False):
            return False
        discard(item.path, layout=layout)
        return True
    finally:
        os.close(fd)


def open_mount(layout: Layout, name: str, about: str) -> Path:
    """Return the directory of a cache mount, after creating it if necessary."""
    path = layout.build_mounts / name
    with map_os_errors(f"cannot make {path}"):
        layout.build_mounts.mkdir(0o700, exist_ok=True)
        path.mkdir(0o700, exist_ok=True)
        if not (path / _ABOUT).exists():
            write_atomic(path / _ABOUT, oci.encode(_About(about)), layout=layout)
    return path


def mount_lock(path: Path) -> int:
    """Return an open descriptor of a cache mount's lock file, not yet locked."""
    with map_os_errors(f"cannot lock {path}"):
        fd = open_lock(path / _LOCK)
        os.utime(fd)
        return fd


def _listed(directory: Path) -> list[Path]:
    return sorted(directory.iterdir()) if directory.is_dir() else []
