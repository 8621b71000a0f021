# SPDX-License-Identifier: MIT
"""``cp``: files in and out of a container, as files or as a tar archive.

`copy_target`, a pure function, has Docker's rules for the destination of a copy.
"""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING

from sandbox.engine.containers.tree import open_tree
from sandbox.errors import NativeError, NotFound, RuntimeFailed, SandboxError, UsageError
from sandbox.store import events

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.engine.containers.state import ContainerStates
    from sandbox.native import core


def copy_from(
    states: ContainerStates,
    name: str,
    source: str,
    target: str,
    *,
    follow: bool,
    keep_owners: bool,
) -> int:
    """Copy from a container to the host; return the number of bytes."""
    from sandbox.runtime.copy.destinations import HostDestination, copy_all
    from sandbox.runtime.copy.sources import tree_items

    with _tree(states, name, "archive-path") as tree:
        follow = follow or _names_a_directory(source)
        is_dir = _tree_is_dir(tree, name, source, follow=follow)
        place = _behind_link(target)
        path = copy_target(
            source,
            place,
            source_is_dir=is_dir,
            target_is_dir=_host_is_dir(place),
            parent_is_dir=os.path.isdir(os.path.dirname(place.rstrip("/")) or "."),
        )
        destination = HostDestination(os.fsencode(path), keep_owners=keep_owners)
        return copy_all(tree_items(tree, _absolute(source), follow=follow), destination)


def get_archive(
    states: ContainerStates,
    name: str,
    source: str,
    write: Callable[[bytes], object],
    *,
    follow: bool,
) -> None:
    """Write a file or directory of a container as a tar archive."""
    from sandbox.layers.tar_writer import write_tar
    from sandbox.runtime.copy.destinations import pack_entries
    from sandbox.runtime.copy.sources import tree_items

    with _tree(states, name, "archive-path") as tree:
        follow = follow or _names_a_directory(source)
        _tree_is_dir(tree, name, source, follow=follow)
        prefix = b"." if _is_contents(source) else os.fsencode(_base_name(source))
        items = tree_items(tree, _absolute(source), follow=follow)
        write_tar(pack_entries(items, prefix), write)


def copy_to(
    states: ContainerStates,
    name: str,
    source: str,
    target: str,
    *,
    follow: bool,
    keep_owners: bool,
) -> int:
    """Copy from the host to a container; return the number of bytes."""
    from sandbox.runtime.copy.destinations import TreeDestination, copy_all
    from sandbox.runtime.copy.sources import host_items

    follow = follow or _names_a_directory(source)
    is_dir = os.path.isdir(source) and (follow or not os.path.islink(source))
    if not os.path.lexists(source):
        raise NotFound(f"no such file or directory: {source}")
    with _tree(states, name, "extract-to-dir") as tree:
        inside = _tree_behind_link(tree, "/" + target.lstrip("/"))
        path = copy_target(
            source,
            inside,
            source_is_dir=is_dir,
            target_is_dir=_tree_kind(tree, inside),
            parent_is_dir=_tree_kind(tree, os.path.dirname(inside.rstrip("/")) or "/"),
        )
        owner = None if keep_owners else (0, 0)
        destination = TreeDestination(tree, os.fsencode(path), owner=owner)
        return copy_all(host_items(os.fsencode(source), follow=follow), destination)


def put_archive(
    states: ContainerStates,
    name: str,
    target: str,
    read: Callable[[int], bytes],
    *,
    as_user: bool,
) -> int:
    """Unpack a tar archive into a directory of a container; return the number of bytes.

    With *as_user*, all files belong to the container's user.
    """
    from sandbox.runtime.copy.destinations import TreeDestination, copy_all
    from sandbox.runtime.copy.sources import tar_items
    from sandbox.runtime.process import lookup

    with _tree(states, name, "extract-to-dir") as tree:
        inside = "/" + target.strip("/")
        if not _tree_kind(tree, inside):
            raise UsageError(f"destination '{name}:{target}' must be a directory")
        user = states.find(name).config.user if as_user else ""
        who = lookup.find_identity(tree, user) if user else None
        owner = (who.uid, who.gid) if who else None
        destination = TreeDestination(tree, os.fsencode(inside), owner=owner)
        return copy_all(tar_items(read), destination)


@contextmanager
def _tree(states: ContainerStates, name: str, action: str) -> Iterator[core.Tree]:
    """Give the container's tree; after success, append the event *action*.

    A container that never ran has its mount points and its working directory, too.
    """
    from sandbox.runtime.process import lookup

    container = states.find(name)
    with open_tree(states, container, with_mounts=True) as tree:
        if not container.state.is_running:
            with suppress(RuntimeFailed):  # its start will say so
                lookup.make_places(tree, container.config)
        yield tree
    events.tell_container(states.layout, container.config, action)


def copy_target(
    source: str,
    target: str,
    *,
    source_is_dir: bool,
    target_is_dir: bool | None,
    parent_is_dir: bool | None,
) -> str:
    """Return the destination of *source*. None means that a target or parent does not exist.

    >>> copy_target("/a", "/d", source_is_dir=True, target_is_dir=True, parent_is_dir=True)
    '/d/a'
    >>> copy_target("/a/.", "/d", source_is_dir=True, target_is_dir=True, parent_is_dir=True)
    '/d'
    """
    if target_is_dir:
        return target if _is_contents(source) else os.path.join(target, _base_name(source))
    if target_is_dir is None:
        if not parent_is_dir:
            raise NotFound(f"no such directory: {os.path.dirname(target.rstrip('/')) or '.'}")
        if target.endswith("/") and not source_is_dir:
            raise NotFound(f"destination directory {target} does not exist")
        return target.rstrip("/")
    if source_is_dir:
        raise SandboxError(f"cannot copy directory {source} to file {target}")
    if target.endswith("/"):
        raise SandboxError(f"not a directory: {target}")
    return target


def _is_contents(source: str) -> bool:
    return source in (".", "/") or source.rstrip("/").endswith("/.") or not source.strip("/")


def _names_a_directory(source: str) -> bool:
    """Tell whether a source ends as only a directory can, behind a symbolic link if it is one."""
    return source.endswith("/") or _is_contents(source)


def _base_name(source: str) -> str:
    return os.path.basename(os.path.normpath(os.path.join("/", source)))


def _absolute(source: str) -> bytes:
    return os.fsencode(os.path.normpath("/" + source.lstrip("/")))


def _behind_link(path: str) -> str:
    """Return the target of a symbolic link, even if the target does not exist."""
    plain = path.rstrip("/")
    return os.path.realpath(plain) + path[len(plain) :] if os.path.islink(plain) else path


def _tree_behind_link(tree: core.Tree, path: str) -> str:
    """Return the target of a symbolic link in a container."""
    plain = path.rstrip("/") or "/"
    try:
        is_link = stat.S_ISLNK(tree.stat(os.fsencode(plain), follow=False).mode)
        found = os.fsdecode(tree.resolve(os.fsencode(plain))) if is_link else plain
    except NativeError:
        return path
    return found + path[len(plain) :]


def _host_is_dir(path: str) -> bool | None:
    return os.path.isdir(path) if os.path.lexists(path) else None


def _tree_kind(tree: core.Tree, path: str) -> bool | None:
    try:
        return stat.S_ISDIR(tree.stat(os.fsencode(path)).mode)
    except NativeError:
        return None


def _tree_is_dir(tree: core.Tree, name: str, source: str, *, follow: bool) -> bool:
    try:
        status = tree.stat(_absolute(source), follow=follow)
    except NativeError:
        raise NotFound(f"could not find the file {source} in container {name}") from None
    is_dir = stat.S_ISDIR(status.mode)
    if not is_dir and _names_a_directory(source):
        raise UsageError(f"not a directory: {source} in container {name}")
    return is_dir
