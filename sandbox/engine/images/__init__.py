# SPDX-License-Identifier: MIT
"""`engine.images`: pull, push, tag, save, load, compare and remove images.

Rules: a method imports the file of its verb when it is called, so that a short command starts fast.

Must not know: how results are shown.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.engine.registries.session import silent
from sandbox.models.reference import parse_reference
from sandbox.store import events
from sandbox.store.images import ImageStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sandbox.engine.images.diff import Difference
    from sandbox.engine.images.explore import ImageReport
    from sandbox.engine.images.load import LoadedImage
    from sandbox.engine.images.pull import Pulled
    from sandbox.engine.images.push import Pushed
    from sandbox.engine.pruned import Pruned
    from sandbox.models.digest import Digest
    from sandbox.models.image import Image
    from sandbox.models.oci import History
    from sandbox.registry.credentials import Credentials
    from sandbox.registry.download import OnProgress
    from sandbox.store.image_removal import Removal
    from sandbox.store.layout import Layout


class Images:
    """The images of one store.

    *name* is an image's name (``alpine``, ``alpine:3.20``, ``alpine@sha256:…``), its id or the
    start of its id. The name ``host`` is reserved for the machine's own files.
    """

    def __init__(self, layout: Layout) -> None:
        """Use the images of *layout*."""
        self._layout = layout
        self._store = ImageStore(layout)

    def get(self, name: str) -> Image:
        """Return the image of this name or id. Raises `ImageNotFound`."""
        return self._store.find(name)

    def inspect(self, name: str) -> dict[str, Any]:
        """Return the JSON of ``docker image inspect``. Raises `ImageNotFound`."""
        from sandbox.engine.images.inspect import describe_image

        return describe_image(self.get(name))

    def history(self, name: str) -> list[tuple[History, int]]:
        """Return (step, bytes) of an image, newest first. Raises `ImageNotFound`."""
        from sandbox.models.image import layer_histories

        return layer_histories(self.get(name))

    def tag(self, source: str, target: str) -> None:
        """Give an image one more name; another image with this name loses it.

        Raises `ImageNotFound`, and `UsageError` for a name that no image may have.
        """
        wanted = parse_reference(target)
        self._store.tag(source, wanted)
        name = wanted.with_default_tag().familiar
        events.tell_image(self._layout, "tag", self.get(name), name)

    def remove(self, name: str, *, force: bool = False) -> Removal:
        """Remove a name of an image, and the image if that was its last name.

        Raises `ImageNotFound`, and `Conflict` if a container uses the image, or if *name* is an id
        and the image has names in several repositories. *force* removes the name in spite of that,
        but not the id of an image of a running container.
        """
        from sandbox.engine.images.remove import remove

        return remove(self._layout, name, force=force)

    def prune(
        self, *, everything: bool = False, filters: Sequence[str] = (), blobs: bool = False
    ) -> Pruned:
        """Remove images without a name; with *everything*, all images that no container uses.

        *filters* are those of ``image prune --filter``. With *blobs*, remove no images, but the
        compressed layers that a registry has too.
        """
        from sandbox.engine.images import prune

        if blobs:
            return prune.prune_blobs(self._layout)
        return prune.prune(self._layout, everything=everything, filters=filters)

    def pull(
        self,
        name: str,
        *,
        platform: str | None = None,
        all_tags: bool = False,
        offline: bool = False,
        pinned: Digest | None = None,
        progress: OnProgress = silent,
        credentials: Credentials | None = None,
    ) -> list[Pulled]:
        """Get an image, or every tag of a repository, from its registry.

        *platform* is by default this machine's, as in ``linux/amd64``. *pinned* is a digest to pull
        instead of the tag's. *offline* makes no connection. *progress* is called with the short id
        of a layer, a status, the bytes done and the bytes in all. *credentials* replace the
        user's own.

        Raises `ImageNotFound` if the image is not for the platform, or *offline* not in the store.
        Raises `NotFound`, `AuthFailed` or `RegistryError` after a registry's answer.
        """
        from sandbox.engine.images.pull import pull

        return pull(
            self._layout,
            name,
            platform=platform,
            all_tags=all_tags,
            offline=offline,
            pinned=pinned,
            progress=progress,
            credentials=credentials,
        )

    def push(
        self,
        name: str,
        *,
        all_tags: bool = False,
        progress: OnProgress = silent,
        credentials: Credentials | None = None,
    ) -> list[Pushed]:
        """Send an image, or all tags of a repository, to the registry in its name.

        Raises `ImageNotFound` if the store has no such image, and `AuthFailed` or `RegistryError`
        after a registry's answer. See `pull` for *progress* and *credentials*.
        """
        from sandbox.engine.images.push import push

        return push(
            self._layout, name, all_tags=all_tags, progress=progress, credentials=credentials
        )

    def load(self, path: str, *, platform: str | None = None) -> list[LoadedImage]:
        """Add all images of an archive, compressed or not, or of an OCI directory.

        *path* is a file or directory; "-" is standard input. Raises `CorruptData` if the archive is
        damaged or incomplete; then the store is unchanged.
        """
        from sandbox.engine.images.load import load

        return load(self._layout, path, platform)

    def save(
        self,
        names: Sequence[str],
        write: Callable[[bytes], object],
        *,
        kind: str = "docker-archive",
        since: str | None = None,
    ) -> None:
        """Write images as one archive; *kind* is ``docker-archive`` or ``oci-archive``.

        Layers that the image *since* has too are left out. Raises `ImageNotFound`.
        """
        from sandbox.engine.images import save
        from sandbox.engine.images.image_events import tell_saved

        save.save_images(self._layout, names, write, kind=kind, since=since)
        tell_saved(self._layout, names)

    def save_directory(self, names: Sequence[str], path: str, *, since: str | None = None) -> None:
        """Write images as an OCI layout into the new directory *path*.

        Layers that the image *since* has too are left out. Raises `ImageNotFound`, and `Conflict`
        if *path* exists.
        """
        from sandbox.engine.images import save
        from sandbox.engine.images.image_events import tell_saved

        save.save_directory(self._layout, names, path, since=since)
        tell_saved(self._layout, names)

    def import_(
        self,
        path: str,
        *,
        reference: str | None = None,
        changes: Sequence[str] = (),
        message: str | None = None,
        platform: str | None = None,
    ) -> Digest:
        """Make an image of one layer from the tar of a root file system; return its id.

        *path* is a file; "-" is standard input. *changes* are instructions of a Dockerfile such as
        ``CMD ["/bin/sh"]``. Raises `CorruptData` if the tar is damaged, and `UsageError`.
        """
        from sandbox.engine.images.import_ import import_

        return import_(
            self._layout,
            path,
            reference=reference,
            changes=changes,
            message=message,
            platform=platform,
        )

    def diff(self, before: str, after: str) -> Iterator[Difference]:
        """Yield the files that differ between two images, sorted by path."""
        from sandbox.engine.images.diff import diff

        return diff(self._layout, before, after)

    def explore(self, name: str) -> ImageReport:
        """Return the files of each layer of an image, and the bytes that no container can see."""
        from sandbox.engine.images.explore import explore

        return explore(self._layout, name)

    def list(self, name: str | None = None, *, filters: Sequence[str] = ()) -> list[Image]:
        """Return the images that pass the filters, newest first; *name* may hold wildcards.

        *filters* are those of ``images --filter``, as in ``dangling=true``.
        """
        from sandbox.models.image_filters import parse_filters, select_images

        wanted = parse_filters(filters)
        if name is not None:
            wanted.setdefault("reference", []).append(name)
        return select_images(self._store.all(), wanted, find=self.get)
