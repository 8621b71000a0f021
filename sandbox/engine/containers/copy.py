# SPDX-License-Identifier: MIT
"""What a container changed, and its files in and out: diff, export, cp.

Docker's rules for the destination of a copy are one pure function, `copy_target`.
"""

from __future__ import annotations

import os
import stat
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.errors import NativeError, NotFound, SandboxError, UsageError
from sandbox.store import events

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from sandbox.engine.containers import ContainerVerbs
    from sandbox.models.container import Container
    from sandbox.native import core

    _Base = ContainerVerbs
else:
    _Base = object


@dataclass(frozen=True, slots=True)
class CopyFlags:
    """How to copy: *follow* a link that is the source, *keep_owners* of all files."""

    follow: bool = False
    keep_owners: bool = False


class ArchiveVerbs(_Base):
    """The part of `Engine` that moves files."""

    def container_changes(self, name: str) -> list[tuple[str, str]]:
        """Return (A, C or D; path) for everything the container changed."""
        with self._files(self.container(name), with_mounts=False) as tree:
            changes = [(kind, os.fsdecode(path)) for kind, path in tree.changes()]
        return sorted(changes, key=lambda change: change[1])

    def export_container(self, name: str, write: Callable[[bytes], object]) -> None:
        """Write all files of the container as one tar archive."""
        from sandbox.layers.tar_writer import write_tar
        from sandbox.runtime.copy.destinations import pack_entries
        from sandbox.runtime.copy.sources import tree_items

        container = self.container(name)
        with self._files(container, with_mounts=False) as tree:
            write_tar(pack_entries(tree_items(tree, b"/"), b""), write)
        events.tell_container(self.layout, container.config, "export")

    def copy_from(self, name: str, source: str, target: str, flags: CopyFlags) -> int:
        """Copy out of a container to a path of the host; return the bytes."""
        from sandbox.runtime.copy.destinations import HostDestination, copy_all
        from sandbox.runtime.copy.sources import tree_items

        with self._read_from(name) as tree:
            follow = flags.follow or source.endswith("/")
            is_dir = _tree_is_dir(tree, name, source, follow=follow)
            place = _behind_link(target)
            path = copy_target(
                source,
                place,
                source_is_dir=is_dir,
                target_is_dir=_host_is_dir(place),
                parent_is_dir=os.path.isdir(os.path.dirname(place.rstrip("/")) or "."),
            )
            destination = HostDestination(os.fsencode(path), keep_owners=flags.keep_owners)
            return copy_all(tree_items(tree, _absolute(source), follow=follow), destination)

    def copy_from_as_tar(
        self, name: str, source: str, write: Callable[[bytes], object], flags: CopyFlags
    ) -> None:
        """Write what is at a path of the container as a tar archive."""
        from sandbox.layers.tar_writer import write_tar
        from sandbox.runtime.copy.destinations import pack_entries
        from sandbox.runtime.copy.sources import tree_items

        with self._read_from(name) as tree:
            follow = flags.follow or source.endswith("/")
            _tree_is_dir(tree, name, source, follow=follow)
            prefix = b"" if _is_contents(source) else os.fsencode(_base_name(source))
            items = tree_items(tree, _absolute(source), follow=follow)
            write_tar(pack_entries(items, prefix), write)

    def copy_to(self, name: str, source: str, target: str, flags: CopyFlags) -> int:
        """Copy from a path of the host into a container; return the bytes."""
        from sandbox.runtime.copy.destinations import TreeDestination, copy_all
        from sandbox.runtime.copy.sources import host_items

        follow = flags.follow or source.endswith("/")
        is_dir = os.path.isdir(source) and (follow or not os.path.islink(source))
        if not os.path.lexists(source):
            raise NotFound(f"no such file or directory: {source}")
        with self._written_to(name) as tree:
            inside = _tree_behind_link(tree, "/" + target.lstrip("/"))
            path = copy_target(
                source,
                inside,
                source_is_dir=is_dir,
                target_is_dir=_tree_kind(tree, inside),
                parent_is_dir=_tree_kind(tree, os.path.dirname(inside.rstrip("/")) or "/"),
            )
            owner = None if flags.keep_owners else (0, 0)
            destination = TreeDestination(tree, os.fsencode(path), owner=owner)
            return copy_all(host_items(os.fsencode(source), follow=follow), destination)

    def copy_to_from_tar(
        self, name: str, read: Callable[[int], bytes], target: str, *, as_user: bool = False
    ) -> int:
        """Unpack a tar archive into a directory of the container; return the bytes.

        All belongs to the container's user if it is to be *as_user* and there is one.
        """
        from sandbox.runtime.copy.destinations import TreeDestination, copy_all
        from sandbox.runtime.copy.sources import tar_items
        from sandbox.runtime.process import lookup

        with self._written_to(name) as tree:
            inside = "/" + target.strip("/")
            if not _tree_kind(tree, inside):
                raise UsageError(f"destination '{name}:{target}' must be a directory")
            user = self.container(name).config.user if as_user else ""
            who = lookup.find_identity(tree, user) if user else None
            owner = (who.uid, who.gid) if who else None
            destination = TreeDestination(tree, os.fsencode(inside), owner=owner)
            return copy_all(tar_items(read), destination)

    @contextmanager
    def _read_from(self, name: str) -> Iterator[core.Tree]:
        container = self.container(name)
        with self._files(container, with_mounts=True) as tree:
            yield tree
        events.tell_container(self.layout, container.config, "archive-path")

    @contextmanager
    def _written_to(self, name: str) -> Iterator[core.Tree]:
        container = self.container(name)
        with self._files(container, with_mounts=True) as tree:
            yield tree
        events.tell_container(self.layout, container.config, "extract-to-dir")

    @contextmanager
    def _files(self, container: Container, *, with_mounts: bool) -> Iterator[core.Tree]:
        """Give the container's tree: the live one if files may be changed in it."""
        from sandbox.engine.places import place_of
        from sandbox.native import core
        from sandbox.runtime import launch
        from sandbox.runtime.rundir import RunDir

        if container.state.is_running and with_mounts:
            with core.Tree.open(RunDir(container.state.run_dir).control) as tree:
                yield tree
            return
        place = place_of(self.layout, container.config)
        # Nobody starts it or copies into it meanwhile: each would miss the other's marks.
        held = self._containers.hold(container, wait=True) if with_mounts else None
        try:
            with launch.resting_tree(container.config, place, with_mounts=with_mounts) as tree:
                yield tree
        finally:
            if held is not None:
                os.close(held)


def copy_target(
    source: str,
    target: str,
    *,
    source_is_dir: bool,
    target_is_dir: bool | None,
    parent_is_dir: bool | None,
) -> str:
    """Return the path that the source becomes. ``None`` for what does not exist.

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


def _base_name(source: str) -> str:
    return os.path.basename(os.path.normpath(os.path.join("/", source)))


def _absolute(source: str) -> bytes:
    return os.fsencode(os.path.normpath("/" + source.lstrip("/")))


def _behind_link(path: str) -> str:
    """Return where a path leads if it is a symbolic link, though nothing be there."""
    plain = path.rstrip("/")
    return os.path.realpath(plain) + path[len(plain) :] if os.path.islink(plain) else path


def _tree_behind_link(tree: core.Tree, path: str) -> str:
    """Return the same of a path in a container."""
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
    if not is_dir and (source.endswith("/") or _is_contents(source)):
        raise UsageError(f"not a directory: {source} in container {name}")
    return is_dir
