# SPDX-License-Identifier: MIT
"""The files of a container, running or not: ``diff``, ``export``, status and sizes."""

from __future__ import annotations

import os
import posixpath
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from sandbox.errors import NativeError, NotFound
from sandbox.models.digest import Digest
from sandbox.models.record import Record
from sandbox.native.host_tree import HostTree
from sandbox.store import events

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.engine.containers.state import ContainerStates
    from sandbox.models.container import Container
    from sandbox.native import core


class PathStat(Record, frozen=True):
    """The status of a file in a container; *mode* is the kernel's, *link* the target of a link."""

    name: str
    size: int
    mode: int
    mtime_ns: int
    link: str


@contextmanager
def open_tree(
    states: ContainerStates, container: Container, *, with_mounts: bool
) -> Iterator[core.Tree]:
    """Give the container's tree; *with_mounts*, for changes too, the live tree if it runs."""
    from sandbox.engine.containers.paths import paths_of
    from sandbox.native import core
    from sandbox.runtime import launch
    from sandbox.runtime.rundir import RunDir

    if container.state.is_running and with_mounts:
        with core.Tree.open(RunDir(container.state.run_dir).control) as tree:
            yield tree
        return
    place = paths_of(states.layout, container.config)
    # With the lock, no other process starts the container or copies meanwhile: each would miss
    # the state bytes that the other sets.
    held = states.store.hold(container, wait=True) if with_mounts else None
    try:
        with launch.resting_tree(container.config, place, with_mounts=with_mounts) as tree:
            yield tree
    finally:
        if held is not None:
            os.close(held)


def diff(states: ContainerStates, name: str) -> list[tuple[str, str]]:
    """Return the changes of a container to its image as (A, C or D; path), sorted by path."""
    with open_tree(states, states.find(name), with_mounts=False) as tree:
        changes = [(kind, os.fsdecode(path)) for kind, path in tree.changes()]
    return sorted(changes, key=lambda change: change[1])


def export(states: ContainerStates, name: str, write: Callable[[bytes], object]) -> None:
    """Write all files of the container as one tar archive."""
    from sandbox.layers.tar_writer import write_tar
    from sandbox.runtime.copy.destinations import pack_entries
    from sandbox.runtime.copy.sources import tree_items

    container = states.find(name)
    with open_tree(states, container, with_mounts=False) as tree:
        write_tar(pack_entries(tree_items(tree, b"/"), b""), write)
    events.tell_container(states.layout, container.config, "export")


def path_stat(states: ContainerStates, name: str, path: str) -> PathStat:
    """Return the status of a file in a container; a link is not followed."""
    with open_tree(states, states.find(name), with_mounts=True) as tree:
        wanted = os.fsencode(posixpath.normpath("/" + path.lstrip("/")))
        try:
            status = tree.stat(wanted, follow=path.endswith("/"))
            target = os.fsdecode(tree.resolve(wanted)) if status.link else ""
        except NativeError:
            what = path.rstrip("/") or "/"
            raise NotFound(f"could not find the file {what} in container {name}") from None
    shown = posixpath.basename(posixpath.normpath("/" + path)) or "/"
    size = status.size if stat.S_ISREG(status.mode) else 4096
    return PathStat(shown, size, status.mode, status.mtime_ns, target)


def layer_size(states: ContainerStates, container: Container) -> int:
    """Return the bytes of all files in the container's own layer, hard links once."""
    seen: set[int] = set()
    total = 0
    pending = [b""]
    with HostTree(states.store.directory(container.config.id).upper, own=True) as upper:
        while pending:
            above = pending.pop()
            with suppress(FileNotFoundError, NotADirectoryError):  # changed meanwhile
                for name in upper.names(above):
                    path = above + b"/" + name if above else name
                    status = upper.stat(path)
                    if stat.S_ISDIR(status.st_mode):
                        pending.append(path)
                    elif stat.S_ISREG(status.st_mode) and status.st_ino not in seen:
                        total += status.st_size
                        if status.st_nlink > 1:
                            seen.add(status.st_ino)
    return total


def sizes(states: ContainerStates, container: Container) -> dict[str, int]:
    """Return the bytes of a container's own files, and of all its files."""
    from sandbox.store.images import ImageStore

    own = layer_size(states, container)
    try:
        image = ImageStore(states.layout).read(Digest(container.config.image_id)).size
    except NotFound:
        image = 0  # the image is `host`, or was removed
    return {"SizeRw": own, "SizeRootFs": own + image}
