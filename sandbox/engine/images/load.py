# SPDX-License-Identifier: MIT
"""What can be done with images: one method a verb.

Rules: archives are unpacked beside the store first; the store changes in one step at the end.

Does not know: how results are shown.
"""

from __future__ import annotations

import sys
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from sandbox.errors import (
    CorruptData,
    DigestMismatch,
    ImageNotFound,
    UsageError,
    map_os_errors,
)
from sandbox.models import oci
from sandbox.models.digest import digest_of, parse_digest
from sandbox.models.image import layer_histories
from sandbox.models.image_filters import parse_filters, select_images
from sandbox.models.reference import Reference, parse_reference
from sandbox.store import events
from sandbox.store.containers import ContainerStore
from sandbox.store.image_removal import ImageUser, Removal
from sandbox.store.images import ImageStore, NewImage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandbox.layers.archive_sources import Source
    from sandbox.layers.image_archive import ArchivedImage, ArchivedLayer
    from sandbox.models.architecture import Platform
    from sandbox.models.digest import Digest
    from sandbox.models.image import Image
    from sandbox.models.oci import History
    from sandbox.store.fsck import Finding
    from sandbox.store.layout import Layout

STDIN = "-"


@dataclass(frozen=True)
class LoadedImage:
    """What one image of an archive became."""

    id: Digest
    references: tuple[Reference, ...]


class ImageVerbs:
    """The image half of `Engine`."""

    layout: Layout

    @property
    def _images(self) -> ImageStore:
        return ImageStore(self.layout)

    def find_image(self, name: str) -> Image:
        """Return the image with this name, id, or start of an id; or "host"."""
        return self._images.find(name)

    def images(self, name: str | None = None, *, filters: Sequence[str] = ()) -> list[Image]:
        """Return the images that pass, newest first; *name* may hold wildcards."""
        wanted = parse_filters(filters)
        if name is not None:
            wanted.setdefault("reference", []).append(name)
        return select_images(self._images.all(), wanted, find=self.find_image)

    def import_image(
        self,
        path: str,
        *,
        reference: str | None = None,
        changes: Sequence[str] = (),
        message: str | None = None,
        platform: str | None = None,
    ) -> Digest:
        """Make an image of one layer from the tar of a root file system."""
        from sandbox.layers.unpack import unpack_layer
        from sandbox.models.architecture import own_platform, parse_platform
        from sandbox.models.config_changes import apply_changes
        from sandbox.store.atomic_files import workspace

        names = () if reference is None else (_new_name(reference),)
        config = apply_changes(oci.RunConfig(), changes)
        place = own_platform() if platform is None else parse_platform(platform)
        comment = message or f"Imported from {path}"
        with _open_input(path) as file, workspace(self.layout) as scratch:
            into = scratch / "layer"
            into.mkdir()
            with _naming(path):
                layer = unpack_layer(file, into, keep=scratch / "blob", ahead=file.seekable())
            assert layer.blob is not None
            document = _imported(config, layer.diff_id, place, comment)
            image = NewImage(oci.encode(document), names, blobs=(layer.blob,))
            blobs = {parse_digest(layer.blob.digest): scratch / "blob"}
            image_id = self._images.add([image], {layer.diff_id: layer.path}, blobs)[0]
        self._tell("import", image_id, names)
        return image_id

    def load_images(self, path: str, *, platform: str | None = None) -> list[LoadedImage]:
        """Add every image of an archive, a compressed one, or an OCI directory."""
        from sandbox.layers.image_archive import read_archive
        from sandbox.models.architecture import parse_platform
        from sandbox.store.atomic_files import workspace

        wanted = None if platform is None else parse_platform(platform)
        with ExitStack() as stack:
            file = None
            if not Path(path).is_dir():
                file = stack.enter_context(_open_input(path))
            scratch = stack.enter_context(workspace(self.layout))
            with _naming(path):
                source = stack.enter_context(_source(path, file, scratch))
                archived = read_archive(source, wanted)
                loading = _Loading(self.layout, scratch)
                new = [loading.take(image) for image in archived]
            ids = self._images.add(new, loading.layers, loading.blobs)
        loaded = [
            LoadedImage(image_id, image.references)
            for image_id, image in zip(ids, archived, strict=True)
        ]
        for item in loaded:
            self._tell("load", item.id, item.references)
        return loaded

    def tag_image(self, source: str, target: str) -> None:
        """Give an image one more name."""
        wanted = parse_reference(target)
        self._images.tag(source, wanted)
        name = wanted.with_default_tag().familiar
        events.tell_image(self.layout, "tag", self._images.find(name), name)

    def remove_image(self, name: str, *, force: bool = False) -> Removal:
        """Remove a name, and the image itself once it has none."""
        image = self._images.find(name)
        removal = self._images.remove(name, force=force, users=self._image_users)
        tell_removal(self.layout, image, removal)
        return removal

    def _tell(self, action: str, image_id: Digest, names: Sequence[Reference]) -> None:
        """Append the events of an image that came into the store with *names*."""
        with suppress(ImageNotFound):  # it is gone again
            image = self._images.read(image_id)
            for name in names:
                events.tell_image(self.layout, "tag", image, name.familiar)
            events.tell_image(self.layout, action, image)

    def image_history(self, name: str) -> list[tuple[History, int]]:
        """Return the steps of an image, newest first, each with its size."""
        return layer_histories(self.find_image(name))

    def check_store(self, *, repair: bool = False) -> list[Finding]:
        """Return what is wrong with the store; with *repair*, after mending it."""
        from sandbox.store.fsck import check

        return check(self.layout, repair=repair)

    def _image_users(self, image_id: Digest) -> list[ImageUser]:
        return [
            ImageUser(container.config.id, container.state.is_running)
            for container in ContainerStore(self.layout).all()
            if container.config.image_id == image_id
        ]


def tell_removal(layout: Layout, image: Image, removal: Removal) -> None:
    """Append the events of what a removal took: Docker names the image by its id in them."""
    for name in removal.untagged:
        if "@" not in name:
            events.tell_image(layout, "untag", image)
    if image.id in removal.deleted:
        events.tell_image(layout, "delete", image)


class _Loading:
    """The layers and blobs of an archive on their way into the store."""

    def __init__(self, layout: Layout, scratch: Path) -> None:
        self._layout = layout
        self._scratch = scratch
        self._made: dict[Digest, oci.Descriptor] = {}
        self.layers: dict[Digest, Path] = {}
        self.blobs: dict[Digest, Path] = {}

    def take(self, image: ArchivedImage) -> NewImage:
        """Unpack what is missing of an image; check the rest."""
        image_id = digest_of(image.config)
        if self._layout.home(image_id) is not self._layout:  # a site has it
            return NewImage(image.config, image.references)
        blobs = [self._layer(layer) for layer in image.layers]
        known = tuple(blob for blob in blobs if blob is not None)
        complete = known if len(known) == len(blobs) else ()
        manifest = image.manifest if _agrees(image.manifest, complete) else None
        return NewImage(image.config, image.references, blobs=complete, manifest=manifest)

    def _layer(self, layer: ArchivedLayer) -> oci.Descriptor | None:
        from sandbox.store.layers import has_layer

        if (made := self._made.get(layer.diff_id)) is not None:
            layer.check()
            return made
        here = has_layer(self._layout, layer.diff_id)
        if here and not layer.is_present:
            return self._known(layer.diff_id)
        known = self._known(layer.diff_id) if here else None
        if known is not None and self._fits(known, layer):
            layer.check()
            return known
        if not layer.is_present:
            raise CorruptData(
                f"the layer {layer.diff_id} is neither in the archive nor in the store:"
                " get the image first that the archive was saved --since"
            )
        into, keep = (self._scratch / f"{kind}-{len(self._made)}" for kind in ("layer", "blob"))
        into.mkdir()
        blob = self._made[layer.diff_id] = _unpack(layer, into, keep)
        self.layers[layer.diff_id] = into
        self.blobs[parse_digest(blob.digest)] = keep
        return blob

    def _fits(self, known: oci.Descriptor, layer: ArchivedLayer) -> bool:
        here = self._layout.blob(parse_digest(known.digest)).exists()
        return here and not layer.is_other(known)

    def _known(self, diff_id: Digest) -> oci.Descriptor | None:
        """Return the blob that an image of the store has for this layer."""
        return ImageStore(self._layout).blobs_of().get(diff_id)


def _agrees(raw: bytes | None, blobs: Sequence[oci.Descriptor]) -> bool:
    """Return whether a manifest is about just these blobs."""
    if raw is None or not blobs:
        return False
    named = oci.decode(raw, oci.Manifest, what="manifest").layers
    return [layer.digest for layer in named] == [blob.digest for blob in blobs]


def _unpack(layer: ArchivedLayer, into: Path, keep: Path) -> oci.Descriptor:
    from sandbox.layers.unpack import unpack_layer

    with layer.open() as reader, _naming(layer.name):
        unpacked = unpack_layer(reader, into, keep=keep)
    if unpacked.diff_id != layer.diff_id:
        raise DigestMismatch(
            f"layer {layer.name}: content is {unpacked.diff_id}, the image's"
            f" configuration promises {layer.diff_id}"
        )
    assert unpacked.blob is not None
    return unpacked.blob


def _imported(
    config: oci.RunConfig, diff_id: Digest, place: Platform, comment: str
) -> oci.ImageConfig:
    now = oci.timestamp()
    return oci.ImageConfig(
        architecture=place.architecture,
        os=place.os,
        variant=place.variant,
        created=now,
        config=config,
        rootfs=oci.RootFS("layers", [diff_id]),
        history=[oci.History(created=now, comment=comment)],
    )


def _new_name(text: str) -> Reference:
    reference = parse_reference(text)
    if reference.digest is not None:
        raise UsageError("cannot import digest reference")
    return reference.with_default_tag()


@contextmanager
def _source(path: str, file: IO[bytes] | None, scratch: Path) -> Iterator[Source]:
    from sandbox.layers.archive_sources import DirectorySource, tar_source

    if file is None:
        yield DirectorySource(Path(path))
    else:
        with tar_source(file, scratch) as source:
            yield source


@contextmanager
def _open_input(path: str) -> Iterator[IO[bytes]]:
    if path == STDIN:
        if sys.stdin.isatty():
            raise UsageError("refusing to read an archive from a terminal")
        yield sys.stdin.buffer
        return
    if path.startswith(("http://", "https://")):
        raise UsageError(f"{path}: downloads are not supported: pipe the file in")
    with ExitStack() as stack:
        with map_os_errors(f"cannot read {path}"):
            file = stack.enter_context(open(path, "rb"))
        yield file


@contextmanager
def _naming(path: str) -> Iterator[None]:
    """Say in an error about bad data which file it is about."""
    try:
        yield
    except CorruptData as exc:
        if exc.message.startswith(path):
            raise
        raise type(exc)(f"{path}: {exc.message}") from exc
