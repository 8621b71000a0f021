# SPDX-License-Identifier: MIT
"""``pull``: get an image from its registry.

Rules: a complete layer enters the store at once, and is pinned until its image is complete. So a
pull that broke off and is repeated downloads no layer twice.

Must not know: how progress is shown.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, TypeVar

from sandbox.engine.images.indexing import make_indexes
from sandbox.engine.images.parallel import in_parallel
from sandbox.engine.images.pull_layer import LayerJob
from sandbox.engine.registries.session import is_offline, open_session, tag_or_digest
from sandbox.errors import (
    AuthFailed,
    CorruptData,
    ImageNotFound,
    NotFound,
    SandboxError,
    StoreFull,
    UsageError,
)
from sandbox.models import oci
from sandbox.models.digest import Digest, parse_digest
from sandbox.models.image import parse_config
from sandbox.models.record import replace
from sandbox.models.reference import Reference, parse_reference
from sandbox.store import events
from sandbox.store.images import ImageStore, NewImage
from sandbox.store.tags import read_tags

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.models.architecture import Platform
    from sandbox.registry.client import RawManifest, Repository
    from sandbox.registry.credentials import Credentials
    from sandbox.registry.download import OnProgress
    from sandbox.registry.session import Session
    from sandbox.store.layout import Layout

_CONFIG_LIMIT = 8 * 1024 * 1024
_NESTING = 4
_T = TypeVar("_T")


@dataclass(frozen=True)
class Pulled:
    """The result for one name."""

    reference: Reference
    digest: Digest
    image_id: Digest
    is_new: bool
    """Whether the name is new, or stood for another image before."""


def pull(
    layout: Layout,
    name: str,
    *,
    platform: str | None,
    all_tags: bool,
    offline: bool,
    pinned: Digest | None,
    progress: OnProgress,
    credentials: Credentials | None,
) -> list[Pulled]:
    """Get an image, or every tag of a repository, from its registry."""
    from sandbox.models.architecture import own_platform, parse_platform
    from sandbox.registry.session import first_answer

    reference = parse_reference(name)
    if reference.is_host:
        raise UsageError("the image 'host' is the machine itself: there is nothing to pull")
    wanted = own_platform() if platform is None else parse_platform(platform)
    if offline or is_offline():
        cached = _cached(ImageStore(layout), _pinned(reference, pinned))
        if platform is not None:
            raw = ImageStore(layout).raw_config(cached.image_id)
            _refuse_other_platform(raw, reference, wanted)
        return [cached]
    session = open_session(None if credentials is None else (reference.domain, credentials))
    session.transport.tell = progress
    puller = Puller(layout, session, wanted, progress, strict=platform is not None)
    if not all_tags:
        found = [puller.run(reference.with_default_tag(), pinned)]
    elif reference.tag is not None or reference.digest is not None:
        raise UsageError("tag can't be used with --all-tags/-a")
    else:
        _, tags = first_answer(session.sources(reference), lambda source: source.tags())
        found = [puller.run(replace(reference, tag=tag)) for tag in tags]
    for item in found:
        events.tell_transfer(layout, "pull", item.reference)
    return found


def _cached(store: ImageStore, reference: Reference) -> Pulled:
    reference = reference.with_default_tag()
    try:
        image = store.find(str(reference))
    except ImageNotFound:
        raise ImageNotFound(
            f"{reference.familiar} is not in the store, and no connection may be made"
        ) from None
    known = [parse_reference(text) for text in image.repo_digests]
    digests = [item.digest for item in known if item.name == reference.name]
    digest = reference.digest or (digests[0] if digests else None) or image.id
    return Pulled(reference, digest, image.id, is_new=False)


def _refuse_other_platform(config: bytes, reference: Reference, wanted: Platform) -> None:
    document, _ = parse_config(config)
    has = (document.os or "linux", document.architecture or "amd64", document.variant)
    if has[:2] != (wanted.os, wanted.architecture) or wanted.variant not in ("", has[2]):
        raise ImageNotFound(
            f"image {reference.familiar} was found but its platform"
            f" ({'/'.join(filter(None, has))}) does not match the specified platform ({wanted})"
        )


def read_config(layout: Layout, sources: Sequence[Repository], descriptor: oci.Descriptor) -> bytes:
    """Return the image configuration in a manifest, from the store or from a registry."""
    from sandbox.registry.session import first_answer

    digest = parse_digest(descriptor.digest)
    if layout.home(digest).image(digest).exists():
        return ImageStore(layout).raw_config(digest)
    return first_answer(
        sources, lambda source: source.blob(digest, descriptor.size, _CONFIG_LIMIT)
    )[1]


class Puller:
    """Pulls images with one session; *strict* refuses images for another platform."""

    def __init__(
        self,
        layout: Layout,
        session: Session,
        wanted: Platform,
        progress: OnProgress,
        *,
        strict: bool = False,
    ) -> None:
        self._strict = strict
        self._layout = layout
        self._store = ImageStore(layout)
        self._session = session
        self._wanted = wanted
        self._progress = progress

    def run(self, reference: Reference, pinned: Digest | None = None) -> Pulled:
        """Pull one image; *pinned* is a digest to pull instead of the tag's."""
        from sandbox.registry.session import read_manifest

        sources = self._session.sources(reference)
        name = tag_or_digest(_pinned(reference, pinned))
        try:
            top = read_manifest(sources, name)
        except (NotFound, AuthFailed) as exc:
            raise type(exc)(_not_pulled(_pinned(reference, pinned), exc)) from exc
        self._progress(name, f"Pulling from {reference.path}")
        manifest = self._choose(sources, top)
        what = f"manifest {manifest.digest}"
        document = oci.decode(manifest.data, oci.Manifest, what=what)
        image_id = parse_digest(document.config.digest)
        names = (reference,) if reference.tag is not None else ()
        digests = (Reference(reference.domain, reference.path, digest=top.digest),)
        is_new = read_tags(self._layout).find(reference) != image_id
        config = read_config(self._layout, sources, document.config)
        if self._strict:
            _refuse_other_platform(config, reference, self._wanted)
        new = NewImage(config, names, digests, tuple(document.layers), manifest.data)
        if self._layout.home(image_id) is self._layout:
            try:
                self._get_layers(sources, new)
            except StoreFull:
                self._make_room(new)
                raise
            make_indexes(self._layout, [image_id])
        else:  # a site's store has it
            self._store.add([NewImage(config, names, digests)], {})
        return Pulled(reference, top.digest, image_id, is_new)

    def _choose(self, sources: Sequence[Repository], top: RawManifest) -> RawManifest:
        from sandbox.layers.image_archive import choose, is_attestation
        from sandbox.registry.session import read_manifest

        manifest = top
        for _ in range(_NESTING):
            if not manifest.is_index:
                return manifest
            what = f"manifest {manifest.digest}"
            index = oci.decode(manifest.data, oci.Index, what=what)
            entries = [item for item in index.manifests or () if not is_attestation(item)]
            entry = choose(entries, self._wanted, what=what)
            manifest = read_manifest(sources, parse_digest(entry.digest))
        raise CorruptData(f"manifest {top.digest}: indexes are nested too deeply")

    def _make_room(self, new: NewImage) -> None:
        """Delete the layers and blobs of an image for which the disk is too small."""
        from sandbox.registry.download import drop_downloads
        from sandbox.store.garbage_collection import forget

        blobs = [parse_digest(blob.digest) for blob in new.blobs]
        drop_downloads(self._layout, blobs)
        forget(self._layout, [*parse_config(new.config)[1], *blobs])

    def _get_layers(self, sources: Sequence[Repository], new: NewImage) -> None:
        from sandbox.layers.memory_budget import Memory
        from sandbox.store.atomic_files import workspace
        from sandbox.store.pins import PINNING, pin

        _, diff_ids = parse_config(new.config)
        if len(diff_ids) != len(new.blobs):
            raise CorruptData(
                f"the manifest names {len(new.blobs)} layers,"
                f" the image's configuration {len(diff_ids)}"
            )
        blobs = [parse_digest(blob.digest) for blob in new.blobs]
        with workspace(self._layout, PINNING) as scratch:
            pin(self._layout, scratch, {*diff_ids, *blobs})
            layers = dict(zip(diff_ids, new.blobs, strict=True))
            stop, memory = threading.Event(), Memory()
            jobs = [
                LayerJob(self._layout, diff_id, blob, scratch / f"layer-{number}", stop, memory)
                for number, (diff_id, blob) in enumerate(layers.items())
            ]
            in_parallel(
                self._session.settings.parallel,
                [partial(job.get, sources, self._session, self._progress) for job in jobs],
                stop,
            )
            self._store.add([new], {})


def _pinned(reference: Reference, digest: Digest | None) -> Reference:
    if digest is None:
        return reference
    return Reference(reference.domain, reference.path, digest=digest)


def _not_pulled(reference: Reference, exc: SandboxError) -> str:
    if isinstance(exc, AuthFailed):
        return (
            f"pull access denied for {reference.familiar_name}, repository does not exist"
            f" or may require 'sandbox login': {exc.message}"
        )
    return f"{exc.message} ({reference.familiar})"
