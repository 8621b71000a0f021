# SPDX-License-Identifier: MIT
"""The blobs and the manifest of an image, for push and save.

How it works: blobs and the manifest leave the store as they came. A layer's blob may be missing
because it was pruned, or because the layer was made here. Then it is downloaded again from a
repository that has it, or packed from the unpacked files. A packed layer must have the diff id in
the image's configuration.
"""

from __future__ import annotations

from contextlib import ExitStack
from functools import cached_property
from typing import TYPE_CHECKING

from sandbox.errors import CorruptData, RegistryError, SandboxError
from sandbox.models import oci
from sandbox.models.closable import Closing
from sandbox.models.digest import Digest, parse_digest
from sandbox.models.reference import Reference, parse_reference
from sandbox.store.atomic_files import workspace
from sandbox.store.blobs import read_blob
from sandbox.store.images import ImageStore, NewImage

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox.models.image import Image
    from sandbox.registry.client import RawManifest
    from sandbox.registry.session import Session
    from sandbox.store.layout import Layout

MANIFEST = "application/vnd.oci.image.manifest.v1+json"
CONFIG = "application/vnd.oci.image.config.v1+json"


class ImageBlobs(Closing):
    """The blobs of one image. Packed blobs are deleted when it is closed."""

    def __init__(self, layout: Layout, image: Image) -> None:
        self._layout = layout
        self._image = image
        self._store = ImageStore(layout)
        self._stack = ExitStack()
        self._packed: dict[Digest, Path] = {}

    def close(self) -> None:
        """Delete the packed blobs."""
        self._stack.close()

    @cached_property
    def blobs(self) -> tuple[oci.Descriptor, ...]:
        """The layers' blobs, lowest first."""
        image = self._image
        if len(image.blobs) == len(image.layers):
            return image.blobs
        known = self._store.blobs_of()
        return tuple(known.get(layer) or self._pack(layer) for layer in image.layers)

    def manifest(self) -> RawManifest:
        """Return the manifest that came with the image, or a new one."""
        from sandbox.registry.client import RawManifest

        if self._image.manifest is not None:
            raw = read_blob(self._layout.home(self._image.id), self._image.manifest)
            kind = oci.decode(raw, oci.Manifest, what="manifest").media_type
            return RawManifest(raw, kind or MANIFEST)
        return RawManifest(oci.encode_versioned(self._new_manifest()), MANIFEST)

    def _new_manifest(self) -> oci.Manifest:
        size = len(self._store.raw_config(self._image.id))
        config = oci.Descriptor(media_type=CONFIG, digest=self._image.id, size=size)
        return oci.Manifest(
            media_type=MANIFEST,
            config=config,
            layers=list(self.blobs),
            annotations=dict(self._image.annotations) or None,
        )

    def as_new(self, digest: Reference) -> NewImage:
        """Return the image with one more repository digest, to be added to the store again."""
        return NewImage(
            self._store.raw_config(self._image.id),
            (),
            (digest,),
            self.blobs,
            self.manifest().data,
        )

    def path(self, blob: oci.Descriptor) -> Path | None:
        """Return the path of a blob; None if it is not on this machine."""
        digest = parse_digest(blob.digest)
        if digest in self._packed:
            return self._packed[digest]
        home = self._layout.home(self._image.id)
        for place in (self._layout.blob(digest), home.blob(digest)):
            if place.exists():
                return place
        return None

    def fetch(self, session: Session | None, blob: oci.Descriptor) -> Path:
        """Return the path of a blob, after downloading or packing it if it is missing."""
        if (path := self.path(blob)) is not None:
            return path
        if session is not None:
            for text in self._image.repo_digests:
                try:
                    return self._download(session, parse_reference(text), blob)
                except RegistryError:
                    continue
        layer = self._image.layers[[item.digest for item in self.blobs].index(blob.digest)]
        try:
            packed = self._pack(layer)
        except SandboxError as exc:
            raise CorruptData(
                f"the blob {blob.digest} was pruned and cannot be restored: {exc.message}"
            ) from exc
        if packed.digest != blob.digest:
            raise CorruptData(f"the blob {blob.digest} was pruned: pull the image again")
        return self._packed[parse_digest(packed.digest)]

    def _download(self, session: Session, reference: Reference, blob: oci.Descriptor) -> Path:
        from sandbox.engine.registries.session import silent
        from sandbox.registry.download import downloaded

        digest = parse_digest(blob.digest)
        sources = session.sources(reference)
        with downloaded(
            self._layout, blob, sources, transport=session.transport, progress=silent
        ) as path:
            if path != self._layout.blob(digest):
                self._store.adopt({}, {digest: path})
        return self._layout.blob(digest)

    def _pack(self, layer: Digest) -> oci.Descriptor:
        from sandbox.layers.layer_tar import pack_layer

        scratch = self._stack.enter_context(workspace(self._layout))
        home = self._layout.home(self._image.id)
        diff, meta = home.layer_diff(layer), home.layer_meta(layer)
        diff_id, blob = pack_layer(diff, meta, scratch / "blob")
        if diff_id != layer:
            raise CorruptData(
                f"layer {layer}: its archive was not kept, and packing its files gives {diff_id}"
            )
        self._packed[parse_digest(blob.digest)] = scratch / "blob"
        return blob
