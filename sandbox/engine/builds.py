# SPDX-License-Identifier: MIT
"""`engine.builds`: images from Dockerfiles, and the build cache.

Must not know: how a build works (`sandbox.builder`), or how it is shown.
"""

from __future__ import annotations

import os
import time
from typing import TYPE_CHECKING, Any

from sandbox.engine.pruned import Pruned
from sandbox.errors import Conflict, ImageNotFound, SandboxError, UsageError
from sandbox.models.reference import parse_reference
from sandbox.store import events
from sandbox.store.images import ImageStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.builder.progress import Progress
    from sandbox.builder.request import BuildRequest, BuildResult
    from sandbox.engine.images import Images
    from sandbox.models.digest import Digest
    from sandbox.models.image import Image
    from sandbox.models.lockfile import Lockfile
    from sandbox.store.layout import Layout


class Builds:
    """The builds of one store."""

    def __init__(self, layout: Layout, images: Images) -> None:
        """Build into *layout*; *images* gives the base images."""
        self._layout = layout
        self._images = images

    def build(self, request: BuildRequest, progress: Progress | None = None) -> BuildResult:
        """Build an image from a Dockerfile.

        *progress* is told about each step. Raises `ImageNotFound` or `RegistryError` if a base
        image cannot be pulled, and `SandboxError` with a line of the Dockerfile if a step fails.
        """
        from sandbox.builder import build

        services = _Services(self._layout, self._images, request.lock)
        return build.build(request, self._layout, services, progress)

    def prune(
        self, *, everything: bool = False, filters: Sequence[str] = (), keep: int = 0
    ) -> Pruned:
        """Delete the build cache that no image uses, or with *everything* all of it.

        The oldest entries go first, until *keep* bytes are left. *filters* are ``until=TIME`` and
        ``unused-for=DURATION``.
        """
        from sandbox.builder.workspace import clean_up
        from sandbox.store import build_cache
        from sandbox.store.garbage_collection import sweep
        from sandbox.store.lock import store_lock

        layout = self._layout
        until = _until(filters)
        pruned = Pruned()
        if not layout.root.is_dir():
            return pruned
        clean_up(layout)
        with store_lock(layout):
            used = _layers_of_images(layout)
            items = build_cache.everything(layout)
            total = sum(item.size for item in items)
            for item in items:
                if keep and total <= keep:
                    break
                if until is not None and item.last_used > until:
                    continue
                if not everything and not _may_go(item, used):
                    continue
                if build_cache.drop(layout, item):
                    pruned.builds.append(item.id)
                    total -= item.size
        pruned.freed = sweep(layout).freed
        events.tell_prune(layout, "builder", pruned.freed)
        return pruned


def _may_go(item: Any, used: set[Digest]) -> bool:
    """Tell whether a cache entry goes without ``--all``: no image uses its layer."""
    return item.layer is not None and item.layer not in used


def _layers_of_images(layout: Layout) -> set[Digest]:
    return {layer for image in ImageStore(layout).all() for layer in image.layers}


def _until(filters: Sequence[str]) -> float | None:
    from sandbox.models.timestamps import parse_moment

    until = None
    for text in filters:
        key, _, value = text.partition("=")
        if key not in ("until", "unused-for"):
            raise UsageError(f"invalid filter '{key}': until or unused-for")
        until = parse_moment(value, time.time())
    return until


class _Services:
    """What a build asks of the engine (`builder.services.Services`)."""

    def __init__(self, layout: Layout, images: Images, lock: Lockfile | None) -> None:
        self._layout = layout
        self._images = images
        self._lock = lock

    def base_image(self, name: str, *, platform: str, pull: bool) -> Image:
        """Return an image. Pull it if it is missing, or in any case with *pull*."""
        if self._lock is None:
            return self._base_image(name, platform, pull=pull)
        name = self._lock.pinned(name)
        with self._lock.mentioned(name):
            return self._base_image(name, platform, pull=pull)

    def _base_image(self, name: str, platform: str, *, pull: bool) -> Image:
        reference = parse_reference(name)
        if reference.is_host:
            return self._images.get(name)
        if not pull:
            try:
                return _fitting(self._images.get(name), name, platform)
            except ImageNotFound:
                pass
        try:
            pulled = self._images.pull(str(reference.with_default_tag()), platform=platform)
        except SandboxError as exc:
            raise type(exc)(f"{name}: failed to resolve source metadata: {exc.message}") from exc
        return ImageStore(self._layout).read(pulled[0].image_id)

    def stored_image(self, name: str, *, platform: str) -> Image | None:
        """Return an image if the store has it for this platform."""
        try:
            return _fitting(self._images.get(name), name, platform)
        except (ImageNotFound, Conflict):
            return None

    def load_layout(self, path: str) -> Image:
        """Return the image of an OCI layout on disk."""
        folder, _, tag = path.rpartition(":") if not os.path.isdir(path) else (path, "", "")
        loaded = self._images.load(folder or path)
        fitting = [item for item in loaded if not tag or tag in _tags(item)]
        if not fitting:
            raise ImageNotFound(f"oci-layout://{path}: no such image in it")
        return ImageStore(self._layout).read(fitting[0].id)

    def guest_program(self) -> str:
        """Return the path of the guest runtime."""
        from sandbox.engine.guest import install_guest

        return install_guest(self._layout)

    def save(self, names: Sequence[str], write: Callable[[bytes], object], *, kind: str) -> None:
        """Write an image as an archive."""
        self._images.save(names, write, kind=kind)


def _tags(loaded: Any) -> list[str | None]:
    return [reference.tag for reference in loaded.references]


def _fitting(image: Image, name: str, platform: str) -> Image:
    from sandbox.runtime import spec

    wanted = spec.parse_platform(platform)
    has = (image.os or "linux", image.architecture or "amd64")
    if has != wanted:
        raise Conflict(
            f"image {name} is for {'/'.join(has)}, not for {'/'.join(wanted)}: pull it with "
            f"--platform {'/'.join(wanted)}"
        )
    return image
