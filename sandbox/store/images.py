# SPDX-License-Identifier: MIT
"""The images of a store: records, names, and the content that they keep.

Rules: an image exists once its record does; everything the record refers to is stored first.
Removal goes in the opposite order: names, the record, then content without other users.
Decisions are made under the store's lock. Layers are unpacked before the lock is taken.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import ExitStack, suppress
from typing import TYPE_CHECKING

import msgspec

from sandbox.errors import (
    Conflict,
    CorruptData,
    ImageNotFound,
    ReferenceSyntaxError,
    UsageError,
    map_os_errors,
)
from sandbox.models import oci
from sandbox.models.digest import Digest, digest_of, hex_of
from sandbox.models.image import Image, host_image, parse_config
from sandbox.models.image_record import ImageRecord
from sandbox.models.record import replace
from sandbox.models.reference import Reference, id_prefix, image_reference, parse_reference
from sandbox.store.atomic_files import discard, sync_directory, sync_file_system, write_atomic
from sandbox.store.blobs import adopt_blob, read_blob, write_blob
from sandbox.store.image_removal import Removal, may_go, plan_removal
from sandbox.store.layers import (
    adopt_layer,
    read_layer_info,
    remove_index,
    remove_layer,
)
from sandbox.store.lock import store_lock
from sandbox.store.pins import pinned
from sandbox.store.tags import Tags, read_own_tags, read_tags, write_tags

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from sandbox.store.image_removal import ImageUser
    from sandbox.store.layout import Layout

_ID_DIGITS = 64


class NewImage(msgspec.Struct, frozen=True):
    """An image to add: the bytes of its configuration, and its names."""

    config: bytes
    references: tuple[Reference, ...] = ()
    repo_digests: tuple[Reference, ...] = ()
    blobs: tuple[oci.Descriptor, ...] = ()
    manifest: bytes | None = None
    lower_blobs: tuple[oci.Descriptor, ...] = ()
    parent: str = ""
    annotations: Mapping[str, str] | None = None
    """The annotations for its manifest; None keeps those of an existing record."""
    is_settled: bool = False
    """Whether its layers are synced to disk."""


class ImageStore:
    """All images of one store."""

    def __init__(self, layout: Layout) -> None:
        """Remember the *layout*; read nothing."""
        self._layout = layout

    def ids(self) -> list[Digest]:
        """Return the ids of all images, in no particular order."""
        found = [*self.own_ids()]
        for site in self._layout.sites:
            known = set(found)
            found += [item for item in ImageStore(site).own_ids() if item not in known]
        return found

    def own_ids(self) -> list[Digest]:
        """Return the ids of the images in this store, without those of site stores."""
        with map_os_errors(f"cannot read {self._layout.images}"):
            try:
                names = os.listdir(self._layout.images)
            except FileNotFoundError:
                return []
        stems = [name.removesuffix(".json") for name in names if name.endswith(".json")]
        return [Digest(f"sha256:{stem}") for stem in stems if len(stem) == _ID_DIGITS]

    def all(self) -> list[Image]:
        """Return every image, newest first; images that are removed meanwhile are skipped."""
        tags = read_tags(self._layout)
        images = []
        for image_id in self.ids():
            with suppress(ImageNotFound):
                images.append(self._read(image_id, tags))
        images.sort(key=lambda image: (-oci.seconds_of(image.created), image.id))
        return images

    def find(self, name: str) -> Image:
        """Return the image with this name, id or unambiguous start of an id.

        Raises ImageNotFound, UsageError.
        """
        tags = read_tags(self._layout)
        reference = image_reference(name)
        if reference is not None and reference.is_host:
            return host_image()
        image_id = tags.find(reference) if reference is not None else None
        if image_id is None:
            image_id = self._find_id(name)
        if image_id is None:
            raise ImageNotFound(_not_found(name, reference, tags))
        return self._read(image_id, tags)

    def read(self, image_id: Digest) -> Image:
        """Return the image with this full id. Raises ImageNotFound, CorruptData."""
        return self._read(image_id, read_tags(self._layout))

    def raw_config(self, image_id: Digest) -> bytes:
        """Return the bytes of the image's configuration."""
        return read_blob(self._layout.home(image_id), image_id)

    def add(
        self,
        images: Sequence[NewImage],
        layers: Mapping[Digest, Path],
        blobs: Mapping[Digest, Path] | None = None,
    ) -> list[Digest]:
        """Add complete images: all of them or, on an error, none.

        *layers* maps diff ids to unpacked layers that the store may lack; other layers must be in
        the store. *blobs* maps digests to the files of layers as they were received.
        """
        for image in images:
            for reference in image.references:
                _refuse_reserved(reference)
        if layers:
            with map_os_errors("cannot sync the new layers"):
                sync_file_system(self._layout.tmp)
        with store_lock(self._layout), ExitStack() as undo:
            self._add_layers(layers, undo)
            for digest, path in (blobs or {}).items():
                if adopt_blob(self._layout, digest, path):
                    undo.callback(discard, self._layout.blob(digest), layout=self._layout)
            tags = read_own_tags(self._layout)
            ids = [self._add_record(image, tags, undo) for image in images]
            write_tags(self._layout, tags)
            undo.pop_all()
        return ids

    def tag(self, source: str, target: Reference) -> None:
        """Make *target* refer to the image that *source* refers to."""
        if target.digest is not None:
            raise UsageError("refusing to create a tag with a digest reference")
        _refuse_reserved(target)
        image = self.find(source)
        if image.is_host:
            raise UsageError("the image 'host' is the machine itself: it has no tags")
        self._layout.prepare()
        with store_lock(self._layout):
            if not self._layout.home(image.id).image(image.id).exists():
                raise ImageNotFound(f"no such image: {source}")
            tags = read_own_tags(self._layout)
            tags.tags[str(target.with_default_tag())] = image.id
            write_tags(self._layout, tags)

    def remove(
        self,
        name: str,
        *,
        force: bool,
        users: Callable[[Digest], Sequence[ImageUser]],
    ) -> Removal:
        """Remove a name, and the image if it was the last name, by Docker's rules."""
        if not self._layout.root.is_dir():
            self.find(name)
        with store_lock(self._layout):
            image = self.find(name)
            if image.is_host:
                raise Conflict("the image 'host' is the machine itself: it cannot be removed")
            plan = plan_removal(image, name, force=force)
            if self._layout.home(image.id) is not self._layout:
                return self._untag_foreign(image, plan.references)
            removes_image = plan.removes_image and may_go(
                image, users(image.id), name, by_name=plan.by_name, force=force
            )
            return self._remove(image, plan.references, removes_image=removes_image)

    def _untag_foreign(self, image: Image, doomed: Sequence[str]) -> Removal:
        """Remove this store's names of an image in a site store. The image stays."""
        tags = read_own_tags(self._layout)
        own = [name for name in doomed if name in tags.tags or name in tags.digests]
        if not own:
            site = self._layout.home(image.id).root
            raise Conflict(f"image {image.short_id} is in the read-only store {site}")
        for name in own:
            tags.drop(name)
        write_tags(self._layout, tags)
        return Removal(untagged=[parse_reference(name).familiar for name in own])

    def remove_unused(self, image_id: Digest, is_used: Callable[[Digest], bool]) -> Removal:
        """Remove an image with all its names. Raises Conflict if it is in use."""
        with store_lock(self._layout):
            image = self.read(image_id)
            if is_used(image_id) or self._layout.home(image_id) is not self._layout:
                raise Conflict(f"image {image.short_id} is being used")
            return self._remove(image, [*image.repo_tags, *image.repo_digests], removes_image=True)

    def paths_of(self, image: Image) -> set[Path]:
        """Return the paths in the store that an image needs."""
        layout = self._layout.home(image.id)
        found = {layout.image(image.id), *map(layout.layer, image.layers)}
        found |= {layout.blob(digest) for digest in content_of(image)}
        for chain in image.chain_ids[-1:]:
            found |= {layout.index(chain), layout.index_stamp(chain)}
        return {path for path in found if path.exists()}

    def _remove(self, image: Image, doomed: Sequence[str], *, removes_image: bool) -> Removal:
        tags = read_own_tags(self._layout)
        removal = Removal()
        if removes_image:  # frees space first, since the next writes may find a full disk
            for chain_id in self._own_chains(image):
                remove_index(self._layout, chain_id)
        for reference in doomed:
            tags.drop(reference)
            removal.untagged.append(parse_reference(reference).familiar)
        write_tags(self._layout, tags)
        if not removes_image:
            return removal
        discard(self._layout.image(image.id), layout=self._layout)
        removal.deleted.append(image.id)
        removal.deleted += self._own_chains(image)
        kept = self.needs()
        for layer in image.layers:
            if layer not in kept:
                remove_layer(self._layout, layer)
        for digest in content_of(image) - kept:
            discard(self._layout.blob(digest), layout=self._layout)
        return removal

    def needs(self) -> set[Digest]:
        """Return the digests of all layers and blobs that are needed.

        The caller holds the store's lock.
        """
        from sandbox.store.build_cache import kept_by_builds

        kept = pinned(self._layout) | kept_by_builds(self._layout)
        for image_id in self.own_ids():
            image = self._read(image_id, Tags())
            kept |= {*image.layers, *content_of(image)}
        return kept

    def blobs_of(self) -> dict[Digest, oci.Descriptor]:
        """Map each layer to a descriptor of its blob; blobs that the store has are preferred."""
        found: dict[Digest, oci.Descriptor] = {}
        for image in self.all():
            blobs = image.blobs or image.lower_blobs
            for layer, blob in zip(image.layers, blobs, strict=False):
                if layer not in found or self._layout.blob(Digest(blob.digest)).exists():
                    found[layer] = blob
        return found

    def adopt(self, layers: Mapping[Digest, Path], blobs: Mapping[Digest, Path]) -> None:
        """Add layers and blobs before their image. The caller has pinned them."""
        if layers:
            with map_os_errors("cannot sync the new layers"):
                sync_file_system(self._layout.tmp)
        with store_lock(self._layout):
            self._add_layers(layers, ExitStack())
            for digest, path in blobs.items():
                adopt_blob(self._layout, digest, path)

    def _own_chains(self, image: Image) -> list[Digest]:
        """Return the chain ids that no other image has, the highest first."""
        kept = {chain for other in self._others(image) for chain in other.chain_ids}
        return [chain for chain in reversed(image.chain_ids) if chain not in kept]

    def _others(self, image: Image) -> list[Image]:
        others = [image_id for image_id in self.own_ids() if image_id != image.id]
        return [self._read(image_id, Tags()) for image_id in others]

    def _add_layers(self, layers: Mapping[Digest, Path], undo: ExitStack) -> None:
        for diff_id, unpacked in layers.items():
            if adopt_layer(self._layout, diff_id, unpacked):
                undo.callback(remove_layer, self._layout, diff_id)
        if layers:
            with map_os_errors("cannot sync the new layers"):
                sync_directory(self._layout.layers)

    def _add_record(self, image: NewImage, tags: Tags, undo: ExitStack) -> Digest:
        image_id = digest_of(image.config)
        if self._layout.home(image_id) is self._layout:
            self._add_own_record(image, image_id, undo)
        for reference in image.references:
            tags.tags[str(reference.with_default_tag())] = image_id
        for reference in image.repo_digests:
            tags.digests[str(reference)] = image_id
        return image_id

    def _add_own_record(self, image: NewImage, image_id: Digest, undo: ExitStack) -> None:
        _, diff_ids = parse_config(image.config)
        sizes = [read_layer_info(self._layout, layer).size for layer in diff_ids]
        path = self._layout.image(image_id)
        if not path.exists():
            if not image.is_settled:
                from sandbox.store.build_cache import sync_unsettled

                sync_unsettled(self._layout, diff_ids)
            undo.callback(discard, self._layout.blob(image_id), layout=self._layout)
            write_blob(self._layout, image.config)
            undo.callback(discard, path, layout=self._layout)
            self._write_record(image, image_id, sizes, undo)
            return
        known = self._read(image_id, Tags())
        if image.annotations is None:
            image = replace(image, annotations=known.annotations)
        if (image.blobs and not known.blobs) or image.annotations != known.annotations:
            image = replace(image, lower_blobs=image.lower_blobs or known.blobs)
            self._write_record(image, image_id, sizes, undo)

    def _write_record(
        self, image: NewImage, image_id: Digest, sizes: list[int], undo: ExitStack
    ) -> None:
        manifest = None
        if image.manifest is not None:
            manifest = digest_of(image.manifest)
            if not self._layout.blob(manifest).exists():
                undo.callback(discard, self._layout.blob(manifest), layout=self._layout)
            write_blob(self._layout, image.manifest)
        lower = [] if image.blobs else list(image.lower_blobs)
        notes = dict(image.annotations or {})
        record = ImageRecord(
            image_id, sizes, list(image.blobs), manifest, lower, image.parent, notes
        )
        write_atomic(self._layout.image(image_id), oci.encode(record), layout=self._layout)

    def _find_id(self, name: str) -> Digest | None:
        prefix = id_prefix(name)
        if prefix is None:
            return None
        matches = [item for item in self.ids() if hex_of(item).startswith(prefix)]
        if len(matches) > 1:
            raise UsageError(f"ambiguous: {name} is the start of several image ids")
        return matches[0] if matches else None

    def _read(self, image_id: Digest, tags: Tags) -> Image:
        home = self._layout.home(image_id)
        path = home.image(image_id)
        with map_os_errors(f"cannot read {path}"):
            try:
                raw = path.read_bytes()
            except FileNotFoundError:
                raise ImageNotFound(f"no such image: {image_id}") from None
        record = oci.decode(raw, ImageRecord, what=str(path))
        document, diff_ids = parse_config(read_blob(home, image_id))
        if len(diff_ids) != len(record.layer_sizes):
            raise CorruptData(f"{path} does not fit its image")
        history = tuple(document.history or ())
        return Image(
            id=image_id,
            config=document.config or oci.RunConfig(),
            architecture=document.architecture,
            os=document.os,
            variant=document.variant,
            author=document.author,
            created=document.created,
            layers=diff_ids,
            history=history,
            repo_tags=tuple(tags.tags_of(image_id)),
            repo_digests=tuple(tags.digests_of(image_id)),
            layer_sizes=tuple(record.layer_sizes),
            comment=history[-1].comment if history else "",
            blobs=tuple(record.blobs),
            manifest=Digest(record.manifest) if record.manifest else None,
            lower_blobs=tuple(record.lower_blobs),
            parent=record.parent,
            container=document.container,
            container_config=document.container_config or {},
            annotations=record.annotations,
        )


def content_of(image: Image) -> set[Digest]:
    """Return the digests of all blobs of an image."""
    blobs = (*image.blobs, *image.lower_blobs)
    found = {image.id, *(Digest(blob.digest) for blob in blobs)}
    return found | ({image.manifest} if image.manifest is not None else set())


def _refuse_reserved(reference: Reference) -> None:
    if reference.is_host:
        raise ReferenceSyntaxError("the name 'host' is reserved for the machine's own tree")
    if reference.familiar_name == "sha256":  # "sha256:TAG" looks like an id
        raise ReferenceSyntaxError(
            "refusing to create an ambiguous tag using digest algorithm as name"
        )


def _not_found(name: str, reference: Reference | None, tags: Tags) -> str:
    from difflib import get_close_matches

    wanted = name if reference is None else reference.with_default_tag().familiar
    known = [parse_reference(tag).familiar for tag in tags.tags]
    close = get_close_matches(wanted, known, n=1)
    hint = f"did you mean {close[0]}?" if close else "'sandbox images' lists all images"
    return f"no such image: {wanted} ({hint})"
