# SPDX-License-Identifier: MIT
"""`engine.manifests`: manifest lists, one name for the images of several platforms.

How it works: a list that has not been pushed is a small file of the store, ``lists/<name>``. It
is an OCI index whose entries also name the repository of each manifest. A push mounts the blobs of
the manifests in the target repository, then sends the manifests and the index.
"""

from __future__ import annotations

import urllib.parse
from typing import TYPE_CHECKING

import msgspec

from sandbox.engine.registries.session import (
    open_session,
    refuse_offline,
    silent,
    tag_or_digest,
)
from sandbox.errors import Conflict, NotFound, Unsupported, map_os_errors
from sandbox.models import oci
from sandbox.models.digest import parse_digest
from sandbox.models.reference import Reference, parse_reference
from sandbox.registry.client import RawManifest
from sandbox.registry.session import read_manifest
from sandbox.registry.upload import present
from sandbox.store.atomic_files import discard, write_atomic
from sandbox.store.lock import store_lock

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from sandbox.models.digest import Digest
    from sandbox.registry.client import Repository
    from sandbox.registry.session import Session
    from sandbox.store.layout import Layout

INDEX = "application/vnd.oci.image.index.v1+json"
_CONFIG_LIMIT = 8 * 1024 * 1024


class ListEntry(msgspec.Struct, frozen=True):
    """One image of a list, and the name of it in its repository."""

    source: str
    descriptor: oci.Descriptor


class Manifests:
    """The manifest lists of one store that have not been pushed yet."""

    def __init__(self, layout: Layout) -> None:
        self._layout = layout

    def create(self, name: str, images: Sequence[str], *, amend: bool) -> Reference:
        """Make a list of images that are in registries; return its name.

        Raises `Conflict` if the list exists, unless *amend* adds to it; `Unsupported` if an
        image is itself a list; `RegistryError` if a registry has no such image.
        """
        reference = parse_reference(name).with_default_tag()
        path = self._path(reference)
        if path.exists() and not amend:
            raise Conflict(f"refusing to change the existing list {name}: use --amend")
        refuse_offline(name)
        session = open_session()
        entries = self.read(name) if path.exists() else []
        for image in images:
            new = _entry(session, parse_reference(image).with_default_tag())
            digest = new.descriptor.digest
            entries = [item for item in entries if item.descriptor.digest != digest]
            entries.append(new)
        self._write(path, entries)
        return reference

    def annotate(
        self,
        name: str,
        image: str,
        *,
        architecture: str | None,
        os: str | None,
        variant: str | None,
    ) -> None:
        """Change the platform of an image in a list; None leaves a value as it is.

        Raises `NotFound` if the list or the image in it does not exist.
        """
        entries = self.read(name)
        reference = parse_reference(image).with_default_tag()
        if reference.digest is None:
            refuse_offline(image)
            digest = _entry(open_session(), reference).descriptor.digest
        else:
            digest = str(reference.digest)
        if all(entry.descriptor.digest != digest for entry in entries):
            raise NotFound(f"manifest for image {image} does not exist in {name}")
        wishes = {"architecture": architecture, "os": os, "variant": variant}
        changes = {key: value for key, value in wishes.items() if value is not None}
        path = self._path(parse_reference(name).with_default_tag())
        self._write(
            path,
            [
                _annotated(entry, changes) if entry.descriptor.digest == digest else entry
                for entry in entries
            ],
        )

    def _write(self, path: Path, entries: list[ListEntry]) -> None:
        self._layout.prepare()
        with store_lock(self._layout), map_os_errors(f"cannot write {path}"):
            path.parent.mkdir(0o700, exist_ok=True)
            write_atomic(path, msgspec.json.encode(entries), layout=self._layout)

    def read(self, name: str) -> list[ListEntry]:
        """Return the entries of a list. Raises `NotFound`."""
        path = self._path(parse_reference(name).with_default_tag())
        with map_os_errors(f"cannot read {path}"):
            try:
                data = path.read_bytes()
            except FileNotFoundError:
                raise NotFound(f"no such manifest list: {name}") from None
        return oci.decode(data, list[ListEntry], what=str(path))

    def index(self, name: str) -> RawManifest:
        """Return a list in the form that a registry gets. Raises `NotFound`."""
        manifests = [item.descriptor for item in self.read(name)]
        document = oci.Index(media_type=INDEX, manifests=manifests)
        return RawManifest(oci.encode_versioned(document), INDEX)

    def remove(self, name: str) -> None:
        """Delete a list. Raises `NotFound`."""
        self.read(name)
        with store_lock(self._layout):
            path = self._path(parse_reference(name).with_default_tag())
            discard(path, layout=self._layout)

    def push(self, name: str, *, purge: bool) -> Digest:
        """Send a list and its manifests to the registry in its name; return the list's digest.

        With *purge*, delete the list afterwards. Raises `NotFound`; `Unsupported` if an image is in
        another registry; `RegistryError`.
        """
        reference = parse_reference(name).with_default_tag()
        entries = self.read(name)
        refuse_offline(name)
        session = open_session()
        target = session.target(reference)
        for entry in entries:
            _provide(session, target, reference, entry)
        index = self.index(name)
        target.put_manifest(str(reference.tag), index)
        if purge:
            self.remove(name)
        return index.digest

    def _path(self, reference: Reference) -> Path:
        return self._layout.lists / urllib.parse.quote(str(reference), safe="")


def _annotated(entry: ListEntry, changes: dict[str, str]) -> ListEntry:
    platform = msgspec.structs.replace(entry.descriptor.platform or oci.Platform(), **changes)
    descriptor = msgspec.structs.replace(entry.descriptor, platform=platform)
    return msgspec.structs.replace(entry, descriptor=descriptor)


def _entry(session: Session, reference: Reference) -> ListEntry:
    sources = session.sources(reference)
    manifest = read_manifest(sources, tag_or_digest(reference))
    if manifest.is_index:
        raise Unsupported(f"{reference.familiar} is a list itself: name its images")
    document = oci.decode(manifest.data, oci.Manifest, what=f"manifest {manifest.digest}")
    config = document.config
    raw = sources[-1].blob(parse_digest(config.digest), config.size, _CONFIG_LIMIT)
    facts = oci.decode(raw, oci.Platform, what="image configuration")
    descriptor = oci.Descriptor(
        media_type=manifest.media_type,
        digest=manifest.digest,
        size=len(manifest.data),
        platform=oci.Platform(facts.architecture, facts.os, facts.variant),
    )
    source = Reference(reference.domain, reference.path, digest=manifest.digest)
    return ListEntry(str(source), descriptor)


def _provide(session: Session, target: Repository, name: Reference, entry: ListEntry) -> None:
    """Put one manifest of a list into the target repository."""
    digest = parse_digest(entry.descriptor.digest)
    if target.manifest_digest(digest) is not None:
        return
    source = parse_reference(entry.source)
    if source.domain != name.domain:
        raise Unsupported(f"{entry.source} is in another registry than {name.familiar}")
    manifest = session.target(source).manifest(digest)
    document = oci.decode(manifest.data, oci.Manifest, what=f"manifest {digest}")
    for blob in (document.config, *document.layers):
        held = present(target, parse_digest(blob.digest), known=[source.path], progress=silent)
        if not held:
            raise NotFound(f"{blob.digest} cannot be mounted from {source.path}")
    target.put_manifest(digest, manifest)
