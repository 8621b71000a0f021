# SPDX-License-Identifier: MIT
"""Reads the metadata of an image archive: docker-archive, OCI archive, OCI directory.

Sources: ``docker save`` (``manifest.json``), the OCI image layout (``index.json``).

How it works: ``manifest.json`` is preferred. Without it, ``index.json`` is read, and nested
indexes are followed to the wanted platform.

Rules: each digest, size and number of layers in a document is checked here, or given to the
caller to check while it unpacks.

Must not know: the store.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.errors import CorruptData, ReferenceSyntaxError
from sandbox.layers.archive_sources import Source, read_document
from sandbox.layers.byte_streams import HashingReader
from sandbox.models import oci
from sandbox.models.architecture import Platform, own_platform
from sandbox.models.digest import Digest, digest_of, hex_of, parse_digest
from sandbox.models.image import parse_config
from sandbox.models.reference import Reference, parse_reference

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandbox.models.oci import Descriptor

_DOCUMENT_LIMIT = 8 * 1024 * 1024
_NESTING = 4
_BLOB_NAME = re.compile(r"(?:blobs/sha256/)?([0-9a-f]{64})(?:\.json)?")
_BARE_NAME = re.compile(r"[a-z][a-z0-9._-]*")
_ATTESTATION = "vnd.docker.reference.type"


@dataclass(frozen=True)
class ArchivedLayer:
    """One layer of an archive, with the digests and sizes that the archive states for it."""

    source: Source
    name: str
    diff_id: Digest
    digest: Digest | None
    size: int | None

    @contextmanager
    def open(self) -> Iterator[HashingReader]:
        """Give a reader of the blob, which may be compressed, until the block ends.

        Then the rest is read. Raises DigestMismatch if the blob differs from its descriptor.
        """
        with self.source.open(self.name) as file:
            reader = HashingReader(file)
            yield reader
            reader.verify(digest=self.digest, size=self.size, what=self.name)

    @property
    def is_present(self) -> bool:
        """Whether the archive contains the layer; 'save --since' leaves layers out."""
        return self.source.has(self.name)

    def is_other(self, blob: Descriptor) -> bool:
        """Return whether the archive states a digest other than that of *blob*."""
        return self.digest is not None and self.digest not in (blob.digest, self.diff_id)

    def check(self) -> None:
        """Read the blob. Raises DigestMismatch if it differs from its descriptor."""
        if self.digest is not None or self.size is not None:
            with self.open():
                pass


@dataclass(frozen=True)
class ArchivedImage:
    """One image of an archive."""

    config: bytes
    layers: tuple[ArchivedLayer, ...]
    references: tuple[Reference, ...]
    manifest: bytes | None = None
    """The OCI or Docker manifest; None if the archive has none."""


def read_archive(source: Source, wanted: Platform | None) -> list[ArchivedImage]:
    """Return the images in *source*, of an OCI index only those for the platform *wanted*.

    Raises CorruptData, DigestMismatch.
    """
    if source.has("manifest.json"):
        return _docker_images(source)
    if not source.has("index.json"):
        raise CorruptData(
            "not an image archive: it has neither manifest.json nor index.json"
            " (use 'sandbox import' for a tar of a root file system)"
        )
    raw = read_document(source, "index.json", limit=_DOCUMENT_LIMIT)
    index = oci.decode(raw, oci.Index, what="index.json")
    images = list(_oci_images(source, index, wanted or own_platform()))
    if not images:
        raise CorruptData("index.json: the archive has no image")
    return images


def _docker_images(source: Source) -> list[ArchivedImage]:
    raw = read_document(source, "manifest.json", limit=_DOCUMENT_LIMIT)
    saved = oci.decode(raw, list[oci.SavedImage], what="manifest.json")
    if not saved:
        raise CorruptData("manifest.json: the archive has no image")
    manifests = _plain_manifests(source) if source.has("index.json") else {}
    return [_docker_image(source, item, manifests) for item in saved]


def _plain_manifests(source: Source) -> dict[Digest, bytes]:
    """Return the manifests that index.json lists, by the digest of their configuration."""
    raw = read_document(source, "index.json", limit=_DOCUMENT_LIMIT)
    found = {}
    for entry in oci.decode(raw, oci.Index, what="index.json").manifests or ():
        if entry.media_type in oci.MANIFEST_TYPES and source.has(_blob_name(entry)):
            text = _blob(source, entry)
            manifest = oci.decode(text, oci.Manifest, what=f"manifest {entry.digest}")
            found[parse_digest(manifest.config.digest)] = text
    return found


def _docker_image(
    source: Source, saved: oci.SavedImage, manifests: dict[Digest, bytes]
) -> ArchivedImage:
    config = read_document(source, saved.config, limit=_DOCUMENT_LIMIT)
    promised = _digest_in(saved.config)
    if promised is not None and digest_of(config) != promised:
        raise CorruptData(f"{saved.config}: content is {digest_of(config)}")
    layers = [
        (name, _digest_in(name) if name.startswith("blobs/") else None, None)
        for name in saved.layers or ()
    ]
    references = tuple(_named(text, what="manifest.json") for text in saved.repo_tags or ())
    return _image(source, config, layers, references, manifests.get(digest_of(config)))


def _image(
    source: Source,
    config: bytes,
    layers: Sequence[tuple[str, Digest | None, int | None]],
    references: tuple[Reference, ...],
    manifest: bytes | None,
) -> ArchivedImage:
    _, diff_ids = parse_config(config)
    if len(layers) != len(diff_ids):
        raise CorruptData(
            f"the manifest names {len(layers)} layers, the image's configuration {len(diff_ids)}"
        )
    archived = []
    for (name, digest, size), diff_id in zip(layers, diff_ids, strict=True):
        archived.append(ArchivedLayer(source, name, diff_id, digest, size))
    return ArchivedImage(config, tuple(archived), references, manifest)


def _oci_images(source: Source, index: oci.Index, wanted: Platform) -> Iterator[ArchivedImage]:
    groups: dict[str, list[Descriptor]] = {}
    for number, entry in enumerate(index.manifests or ()):
        if not is_attestation(entry):
            groups.setdefault(_ref_name(entry) or f"#{number}", []).append(entry)
    for name, entries in groups.items():
        chosen = choose(entries, wanted)
        raw, manifest = _manifest(source, chosen, wanted)
        config = _blob(source, manifest.config)
        layers = [
            (_blob_name(layer), parse_digest(layer.digest), layer.size) for layer in manifest.layers
        ]
        references = () if name.startswith("#") else _oci_references(name)
        yield _image(source, config, layers, references, raw)


def _manifest(source: Source, entry: Descriptor, wanted: Platform) -> tuple[bytes, oci.Manifest]:
    for _ in range(_NESTING):
        raw = _blob(source, entry)
        what = f"manifest {entry.digest}"
        if entry.media_type not in oci.INDEX_TYPES:
            return raw, oci.decode(raw, oci.Manifest, what=what)
        inner = oci.decode(raw, oci.Index, what=what)
        entries = [item for item in inner.manifests or () if not is_attestation(item)]
        entry = choose(entries, wanted)
    raise CorruptData("index.json: indexes are nested too deeply")


def choose(
    entries: Sequence[Descriptor], wanted: Platform, *, what: str = "the archive"
) -> Descriptor:
    """Return the entry for a platform; messages call the index *what*. Raises CorruptData."""
    for entry in entries:
        if entry.platform is None or _fits(entry.platform, wanted):
            return entry
    has = ", ".join(
        f"{entry.platform.os}/{entry.platform.architecture}"
        for entry in entries
        if entry.platform is not None
    )
    raise CorruptData(f"{what} has no image for {wanted} (it has: {has or 'none'})")


def _fits(has: oci.Platform, wanted: Platform) -> bool:
    return (
        has.os == wanted.os
        and has.architecture == wanted.architecture
        and (not wanted.variant or has.variant == wanted.variant)
    )


def _blob(source: Source, descriptor: Descriptor) -> bytes:
    """Return a document after checking its digest and size."""
    name = _blob_name(descriptor)
    if descriptor.size > _DOCUMENT_LIMIT:
        raise CorruptData(f"{name}: larger than the {_DOCUMENT_LIMIT} bytes allowed for a document")
    with source.open(name) as file:
        reader = HashingReader(file)
        data = reader.read(_DOCUMENT_LIMIT)
        digest = parse_digest(descriptor.digest)
        reader.verify(digest=digest, size=descriptor.size, what=name)
    return data


def _blob_name(descriptor: Descriptor) -> str:
    return f"blobs/sha256/{hex_of(parse_digest(descriptor.digest))}"


def _digest_in(name: str) -> Digest | None:
    match = _BLOB_NAME.fullmatch(name)
    return Digest(f"sha256:{match[1]}") if match else None


def is_attestation(entry: Descriptor) -> bool:
    """Return whether an entry of an index is an attestation, not an image."""
    return _ATTESTATION in (entry.annotations or {})


def _ref_name(entry: Descriptor) -> str | None:
    notes = entry.annotations or {}
    return notes.get(oci.CONTAINERD_NAME) or notes.get(oci.REF_NAME)


def _oci_references(name: str) -> tuple[Reference, ...]:
    """Return the reference in an annotation; none for a bare tag such as "latest"."""
    if "/" in name or ":" in name:
        return (_named(name, what="index.json"),)
    if name == "latest" or not _BARE_NAME.fullmatch(name):
        return ()
    return (_named(name, what="index.json"),)


def _named(text: str, *, what: str) -> Reference:
    try:
        return parse_reference(text).with_default_tag()
    except ReferenceSyntaxError as exc:
        raise CorruptData(f"{what}: {text!r}: {exc.message}") from exc
