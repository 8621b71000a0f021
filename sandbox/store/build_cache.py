# SPDX-License-Identifier: MIT
"""What builds remember: the results of steps by key, and the directories of cache mounts.

How it works: a record says which layer a step gave; its name is the step's key, its mtime
when it was last used. A record is written once its layer is in the store, under the
store's lock, and keeps the layer there until the record goes. Directories of cache mounts
have a lock each, held by whoever uses them.

Does not know: what a key is made of.
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
    """What one step gave: a layer, and when it was made."""

    layer: str
    created: str
    description: str
    size: int = 0
    chain: str = ""
    """The stack that ends with the layer: its index is worth keeping."""
    blob: oci.Descriptor | None = None
    """The layer as it came from another machine, if it did."""
    boot: str = ""
    """Until the layer is known to be on the disk: which boot of the machine made it."""


class _About(msgspec.Struct, frozen=True):
    id: str


class Cached(Record, frozen=True):
    """A record or a directory, to be shown or removed."""

    id: str
    kind: str  # regular, or exec.cachemount
    description: str
    last_used: float
    created: float
    path: Path
    layer: Digest | None = None
    size: int = 0


def read_step(layout: Layout, key: str) -> Step | None:
    """Return what is remembered under *key*, and note that it was used."""
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
    """Remember a step; the caller holds the store's lock and has put the layer in place."""
    with map_os_errors(f"cannot write {layout.build_steps}"):
        layout.build_steps.mkdir(0o700, exist_ok=True)
    write_atomic(layout.build_step(key), oci.encode(step), layout=layout)


def settle(layout: Layout, keys: Iterable[str]) -> None:
    """Note that the layers of these records are on the disk now."""
    with store_lock(layout):
        for key in keys:
            with suppress(OSError, SandboxError):
                raw = layout.build_step(key).read_bytes()
                step = oci.decode(raw, Step, what=key)
                write_step(layout, key, msgspec.structs.replace(step, boot=""))


def sync_unsettled(layout: Layout, layers: Iterable[Digest]) -> None:
    """Make durable what an image is about to have and a build has not made durable yet.

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
    """Return what names this boot of the machine."""
    try:
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            return file.read().strip()
    except OSError:
        return "unknown"


def steps(layout: Layout) -> Iterator[tuple[str, Step]]:
    """Yield every record with its key; damaged ones are left out."""
    for path in _listed(layout.build_steps):
        with suppress(OSError, SandboxError):
            yield path.stem, oci.decode(path.read_bytes(), Step, what=str(path))


def kept_by_builds(layout: Layout) -> set[Digest]:
    """Return the layers and blobs that records need. The caller holds the store's lock."""
    found: set[Digest] = set()
    for _, step in steps(layout):
        found.add(Digest(step.layer))
        if step.blob is not None:
            found.add(Digest(step.blob.digest))
    return found


def chains_of_builds(layout: Layout) -> set[Digest]:
    """Return the stacks whose indexes are worth keeping."""
    return {Digest(step.chain) for _, step in steps(layout) if step.chain}


def everything(layout: Layout) -> list[Cached]:
    """Return all records and directories, the least recently used first."""
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
    """Forget a record or directory; False if it is in use.

    The caller holds the store's lock, and removes layers that nobody needs any more.
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
    """Return the directory of a cache mount, made if missing."""
    path = layout.build_mounts / name
    with map_os_errors(f"cannot make {path}"):
        layout.build_mounts.mkdir(0o700, exist_ok=True)
        path.mkdir(0o700, exist_ok=True)
        if not (path / _ABOUT).exists():
            write_atomic(path / _ABOUT, oci.encode(_About(about)), layout=layout)
    return path


def mount_lock(path: Path) -> int:
    """Return the open lock of a cache mount's directory."""
    with map_os_errors(f"cannot lock {path}"):
        fd = open_lock(path / _LOCK)
        os.utime(fd)
        return fd


def _listed(directory: Path) -> list[Path]:
    return sorted(directory.iterdir()) if directory.is_dir() else []
