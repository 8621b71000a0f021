# SPDX-License-Identifier: MIT
"""``push``: send the blobs that the registry lacks, then the manifest.

Must not know: how progress is shown.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from sandbox.engine.images.blobs import ImageBlobs
from sandbox.engine.images.parallel import Stopped, in_parallel
from sandbox.engine.registries.session import open_session, refuse_offline
from sandbox.errors import ImageNotFound, UsageError
from sandbox.models.digest import Digest, parse_digest, short_id
from sandbox.models.reference import Reference, parse_reference
from sandbox.store import events
from sandbox.store.images import ImageStore

if TYPE_CHECKING:
    from sandbox.models import oci
    from sandbox.models.image import Image
    from sandbox.registry.client import Repository
    from sandbox.registry.credentials import Credentials
    from sandbox.registry.download import OnProgress
    from sandbox.registry.session import Session
    from sandbox.store.layout import Layout


@dataclass(frozen=True)
class Pushed:
    """The manifest that one tag has in the registry now."""

    reference: Reference
    digest: Digest
    size: int


def push(
    layout: Layout,
    name: str,
    *,
    all_tags: bool,
    progress: OnProgress,
    credentials: Credentials | None,
) -> list[Pushed]:
    """Send an image, or all tags of a repository, to the registry in its name."""
    reference = parse_reference(name)
    if reference.digest is not None:
        raise UsageError("cannot push a digest reference")
    store = ImageStore(layout)
    if not all_tags:
        references = [reference.with_default_tag()]
    elif reference.tag is not None:
        raise UsageError("tag can't be used with --all-tags/-a")
    else:
        references = [
            found
            for image in store.all()
            for found in map(parse_reference, image.repo_tags)
            if found.name == reference.name
        ]
    if not references or reference.is_host:
        raise ImageNotFound(f"an image does not exist locally with the tag: {name}")
    images = [(item, store.find(str(item))) for item in references]
    refuse_offline(name)
    session = open_session(None if credentials is None else (reference.domain, credentials))
    pusher = Pusher(layout, session, progress)
    sent = [pusher.run(item, image) for item, image in images]
    for item in sent:
        events.tell_transfer(layout, "push", item.reference)
    return sent


class Pusher:
    """Pushes images with one session."""

    def __init__(self, layout: Layout, session: Session, progress: OnProgress) -> None:
        self._layout = layout
        self._store = ImageStore(layout)
        self._session = session
        self._progress = progress

    def run(self, reference: Reference, image: Image) -> Pushed:
        """Push one image under one tag."""
        if image.is_host:
            raise UsageError("the image 'host' is the machine itself: it cannot be pushed")
        target = self._session.target(reference)
        content = ImageBlobs(self._layout, image)
        manifest = content.manifest()
        self._progress("", f"The push refers to repository [{reference.name}]")
        if target.manifest_digest(manifest.digest) is None:
            self._send(target, image, content, reference)
            target.put_manifest(str(reference.tag), manifest)
        elif target.manifest_digest(str(reference.tag)) != manifest.digest:
            target.put_manifest(str(reference.tag), manifest)
        digest = Reference(reference.domain, reference.path, digest=manifest.digest)
        self._store.add([content.as_new(digest)], {})
        return Pushed(reference, manifest.digest, len(manifest.data))

    def _send(
        self, target: Repository, image: Image, content: ImageBlobs, reference: Reference
    ) -> None:
        from sandbox.registry.upload import ensure_blob, present, send_bytes

        known = self._repositories(reference.domain)
        transport = self._session.transport
        stop = threading.Event()

        def progress(name: str, status: str, done: int = 0, total: int = 0) -> None:
            if stop.is_set():
                raise Stopped("given up")
            self._progress(name, status, done, total)

        def send(blob: oci.Descriptor) -> None:
            digest = parse_digest(blob.digest)
            progress(short_id(digest), "Preparing")
            holders = known.get(digest, [])
            here = content.path(blob)
            if here is not None:
                path = here
            elif present(target, digest, known=holders, progress=progress):
                return
            else:
                path = content.fetch(self._session, blob)
            ensure_blob(target, blob, path, known=holders, transport=transport, progress=progress)

        unique = {blob.digest: blob for blob in content.blobs}.values()
        with content:
            in_parallel(
                self._session.settings.parallel, [partial(send, blob) for blob in unique], stop
            )
        send_bytes(target, self._store.raw_config(image.id), transport=transport)

    def _repositories(self, domain: str) -> dict[Digest, list[str]]:
        """Return the repositories of a registry that are known to hold each blob."""
        found: dict[Digest, list[str]] = {}
        for image in self._store.all():
            references = [parse_reference(text) for text in image.repo_digests]
            paths = {item.path for item in references if item.domain == domain}
            for blob in image.blobs:
                found.setdefault(Digest(blob.digest), []).extend(sorted(paths))
        return found
