# SPDX-License-Identifier: MIT
"""``load``: add the images of an archive or of an OCI directory.

Rules: archives are unpacked in a workspace. The store changes in one step at the end.
"""

from __future__ import annotations

from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from sandbox.engine.images.image_events import tell_added
from sandbox.engine.images.indexing import make_indexes
from sandbox.engine.images.input import naming, open_input
from sandbox.errors import CorruptData, DigestMismatch
from sandbox.models import oci
from sandbox.models.digest import digest_of, parse_digest
from sandbox.store.images import ImageStore, NewImage

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandbox.layers.archive_sources import Source
    from sandbox.layers.image_archive import ArchivedImage, ArchivedLayer
    from sandbox.models.digest import Digest
    from sandbox.models.reference import Reference
    from sandbox.store.layout import Layout


@dataclass(frozen=True)
class LoadedImage:
    """The id and the names of a loaded image."""

    id: Digest
    references: tuple[Reference, ...]


def load(layout: Layout, path: str, platform: str | None) -> list[LoadedImage]:
    """Add all images of an archive, compressed or not, or of an OCI directory."""
    from sandbox.layers.image_archive import read_archive
    from sandbox.models.architecture import parse_platform
    from sandbox.store.atomic_files import workspace

    wanted = None if platform is None else parse_platform(platform)
    with ExitStack() as stack:
        file = None
        if not Path(path).is_dir():
            file = stack.enter_context(open_input(path))
        scratch = stack.enter_context(workspace(layout))
        with naming(path):
            source = stack.enter_context(_source(path, file, scratch))
            archived = read_archive(source, wanted)
            loading = _Loading(layout, scratch)
            new = [loading.take(image) for image in archived]
        ids = ImageStore(layout).add(new, loading.layers, loading.blobs)
    make_indexes(layout, ids)
    loaded = [
        LoadedImage(image_id, image.references)
        for image_id, image in zip(ids, archived, strict=True)
    ]
    for item in loaded:
        tell_added(layout, "load", item.id, item.references)
    return loaded


class _Loading:
    """The layers and blobs of an archive that are not in the store yet."""

    def __init__(self, layout: Layout, scratch: Path) -> None:
        self._layout = layout
        self._scratch = scratch
        self._made: dict[Digest, oci.Descriptor] = {}
        self.layers: dict[Digest, Path] = {}
        self.blobs: dict[Digest, Path] = {}

    def take(self, image: ArchivedImage) -> NewImage:
        """Unpack the missing layers of an image, check the others, and return the image."""
        image_id = digest_of(image.config)
        if self._layout.home(image_id) is not self._layout:  # a site's store has it
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
        """Return the blob for this layer of any image in the store."""
        return ImageStore(self._layout).blobs_of().get(diff_id)


def _agrees(raw: bytes | None, blobs: Sequence[oci.Descriptor]) -> bool:
    """Return whether a manifest names exactly these blobs."""
    if raw is None or not blobs:
        return False
    named = oci.decode(raw, oci.Manifest, what="manifest").layers
    return [layer.digest for layer in named] == [blob.digest for blob in blobs]


def _unpack(layer: ArchivedLayer, into: Path, keep: Path) -> oci.Descriptor:
    from sandbox.layers.unpack import unpack_layer

    with layer.open() as reader, naming(layer.name):
        unpacked = unpack_layer(reader, into, keep=keep)
    if unpacked.diff_id != layer.diff_id:
        raise DigestMismatch(
            f"layer {layer.name}: content is {unpacked.diff_id}, the image's"
            f" configuration promises {layer.diff_id}"
        )
    assert unpacked.blob is not None
    return unpacked.blob


@contextmanager
def _source(path: str, file: IO[bytes] | None, scratch: Path) -> Iterator[Source]:
    from sandbox.layers.archive_sources import DirectorySource, tar_source

    if file is None:
        yield DirectorySource(Path(path))
    else:
        with tar_source(file, scratch) as source:
            yield source
