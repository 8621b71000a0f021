# SPDX-License-Identifier: MIT
"""The mounts of a new container, and the first content of its volumes."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandbox.errors import ContainerNotFound, NativeError, UsageError
from sandbox.models.container import MountPoint
from sandbox.models.record import replace
from sandbox.models.timestamps import now
from sandbox.store.volumes import VolumeStore

if TYPE_CHECKING:
    from sandbox.engine.containers.config import CreateRequest
    from sandbox.engine.containers.state import ContainerStates
    from sandbox.models.container import ContainerConfig
    from sandbox.models.image import Image
    from sandbox.store.layout import Layout


def mounts_of(
    states: ContainerStates, request: CreateRequest, image: Image
) -> tuple[MountPoint, ...]:
    """Return all mounts of a new container, after making missing volumes.

    The first mount of a target wins: the user's named ones, then those of ``--volumes-from``, then
    the user's anonymous ones, then the volumes of the image.
    """
    found = {mount.target: mount for mount in request.mounts if not mount.anonymous}
    for text in request.volumes_from:
        for mount in _of_another(states, text):
            found.setdefault(mount.target, mount)
    for mount in request.mounts:
        found.setdefault(mount.target, mount)
    for target in image.config.volumes or {}:
        clean = os.path.normpath(target)
        found.setdefault(clean, MountPoint("volume", clean, anonymous=True))
    return tuple(_with_source(states.layout, mount) for mount in found.values())


def _of_another(states: ContainerStates, text: str) -> list[MountPoint]:
    name, _, mode = text.partition(":")
    if mode not in ("", "ro", "rw", "z", "Z"):
        raise UsageError(f"invalid mode: {mode} in '{text}'")
    try:
        other = states.find(name).config
    except ContainerNotFound as exc:
        raise UsageError(exc.message) from exc
    mounts = [mount for mount in other.mounts if mount.type != "tmpfs"]
    # A shared volume is no longer removed with its first container.
    return [
        replace(mount, anonymous=False, read_only=mode == "ro" or mount.read_only)
        for mount in mounts
    ]


def _with_source(layout: Layout, mount: MountPoint) -> MountPoint:
    if mount.type != "volume":
        return mount
    name = mount.name or os.urandom(32).hex()
    labels = dict(mount.labels)
    volume = VolumeStore(layout).ensure(name, now(), anonymous=mount.anonymous, labels=labels)
    return replace(mount, name=name, source=volume.data)


def fill_volumes(layout: Layout, config: ContainerConfig) -> None:
    """Copy the image's files at the targets of empty volumes into these volumes."""
    empty = [
        mount
        for mount in config.mounts
        if mount.type == "volume" and mount.copy and not os.listdir(mount.source)
    ]
    if empty:
        _fill(layout, config, empty)


def _fill(layout: Layout, config: ContainerConfig, empty: list[MountPoint]) -> None:
    from sandbox.engine.containers.paths import paths_of
    from sandbox.runtime import launch, volume_owners
    from sandbox.runtime.copy.destinations import HostDestination, copy_all
    from sandbox.runtime.copy.sources import tree_items

    place = paths_of(layout, config)
    with launch.resting_tree(config, place, with_mounts=False) as tree:
        for mount in empty:
            try:
                path = tree.resolve(os.fsencode(mount.target))
                tree.list(path)
            except NativeError:
                continue  # the image has no such directory
            items = list(tree_items(tree, path))
            copy_all(items, HostDestination(os.fsencode(mount.source)))
            entries = [item.entry for item in items]
            volume_owners.write(
                mount, [(e.name, e.uid, e.gid, e.mode) for e in entries if e.kind != "h"]
            )
