# SPDX-License-Identifier: MIT
"""Pull, push and the rest that needs a registry: one method a verb.

Rules: urllib3 is imported only here below, so that a `run` of a local image never
pays for it. A layer is put into the store as soon as it is complete and pinned until
its image is, so what was pulled is never pulled again.

Does not know: how progress looks.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, TypeVar

from sandbox.engine.layer_job import LayerJob, in_parallel
from sandbox.engine.pushing import Push, Pushed
from sandbox.engine.transfers import is_offline, silent
from sandbox.errors import (
    AuthFailed,
    CorruptData,
    ImageNotFound,
    NotFound,
    RegistryError,
    SandboxError,
    StoreFull,
    UsageError,
)
from sandbox.models import oci
from sandbox.models.digest import Digest, parse_digest
from sandbox.models.image import parse_config
from sandbox.models.record import replace
from sandbox.models.reference import Reference, parse_reference
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
    """What one reference became."""

    reference: Reference
    digest: Digest
    image_id: Digest
    is_new: bool
    """The reference did not mean this image before."""


class Registries:
    """All that a store and registries do with each other."""

    def __init__(self, layout: Layout, identity: tuple[str, Credentials] | None = None) -> None:
        """Use the user's credentials, or for one registry others."""
        self.layout = layout
        self._identity = identity

    def session(self) -> Session:
        """Return a session with the credentials that are to be used."""
        return open_session(self._identity)

    def pull(
        self,
        name: str,
        *,
        platform: str | None = None,
        all_tags: bool = False,
        offline: bool = False,
        pinned: Digest | None = None,
        progress: OnProgress = silent,
    ) -> list[Pulled]:
        """Get an image, or every tag of a repository, from its registry.

        *pinned* is what the tag is to mean, whatever the registry says.
        """
        from sandbox.models.architecture import own_platform, parse_platform
        from sandbox.registry.session import first_answer

        reference = parse_reference(name)
        if reference.is_host:
            raise UsageError("the image 'host' is the machine itself: there is nothing to pull")
        wanted = own_platform() if platform is None else parse_platform(platform)
        if offline or is_offline():
            cached = _cached(ImageStore(self.layout), _pinned(reference, pinned))
            if platform is not None:
                raw = ImageStore(self.layout).raw_config(cached.image_id)
                _refuse_other_platform(raw, reference, wanted)
            return [cached]
        session = self.session()
        session.transport.tell = progress
        strict = platform is not None
        if not all_tags:
            pull = Puller(self.layout, session, wanted, progress, strict=strict)
            return [pull.run(reference.with_default_tag(), pinned)]
        if reference.tag is not None or reference.digest is not None:
            raise UsageError("tag can't be used with --all-tags/-a")
        _, tags = first_answer(session.sources(reference), lambda source: source.tags())
        pull = Puller(self.layout, session, wanted, progress, strict=strict)
        return [pull.run(replace(reference, tag=tag)) for tag in tags]

    def push(
        self, name: str, *, all_tags: bool = False, progress: OnProgress = silent
    ) -> list[Pushed]:
        """Send an image to the registry that its name says."""
        reference = parse_reference(name)
        if reference.digest is not None:
            raise UsageError("cannot push a digest reference")
        store = ImageStore(self.layout)
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
        push = Push(self.layout, self.session(), progress)
        return [push.run(item, image) for item, image in images]

    def login(self, domain: str | None, username: str, password: str) -> str:
        """Try a name and password, and keep them; returns where."""
        from sandbox.registry.credentials import Credentials

        where = registry_name(domain)
        refuse_offline(where)
        session = open_session()
        credentials = Credentials(username, password)
        session.registry(where, credentials).check_login()
        return session.credentials.save(where, credentials)

    def check_login(self, domain: str | None, username: str, password: str) -> None:
        """Try a name and password; nothing is kept."""
        from sandbox.registry.credentials import Credentials

        where = registry_name(domain)
        refuse_offline(where)
        open_session().registry(where, Credentials(username, password)).check_login()

    def logout(self, domain: str | None) -> bool:
        """Forget the credentials for a registry; False if there were none."""
        from sandbox.registry.credentials import CredentialStore

        return CredentialStore().erase(registry_name(domain))

    def search(self, term: str, *, limit: int = 25) -> list[dict[str, Any]]:
        """Return the repositories that a registry finds for a term."""
        domain, slash, rest = term.partition("/")
        if not slash or not ("." in domain or ":" in domain or domain == "localhost"):
            domain, rest = "docker.io", term
        refuse_offline(domain)
        session = open_session()
        if domain == "docker.io":
            domain = "index.docker.io"
        return session.registry(domain).search(rest, limit)

    def manifest(self, name: str) -> RawManifest:
        """Return the manifest or index that a reference means in its registry."""
        from sandbox.registry.session import read_manifest

        reference = parse_reference(name).with_default_tag()
        refuse_offline(name)
        return read_manifest(open_session().sources(reference), tag_or_digest(reference))


def open_session(identity: tuple[str, Credentials] | None = None) -> Session:
    """Return a session with the user's settings, or as somebody else for one registry."""
    from sandbox.registry.credentials import CredentialStore, OverriddenCredentials
    from sandbox.registry.session import Session

    known = CredentialStore() if identity is None else OverriddenCredentials(*identity)
    return Session(credentials=known)


def refuse_offline(name: str) -> None:
    """Refuse to go on if no connection may be made."""
    if is_offline():
        raise RegistryError(f"{name}: no connection is made while SANDBOX_OFFLINE is set")


def registry_name(text: str | None) -> str:
    """Return the registry that a user means with *text*.

    >>> registry_name(None), registry_name("https://r.example/v2/")
    ('docker.io', 'r.example')
    """
    from sandbox.registry.credentials import host_in

    return host_in(text) if text else "docker.io"


def tag_or_digest(reference: Reference) -> str:
    """Return how a registry is asked for this reference."""
    return str(reference.digest) if reference.digest is not None else str(reference.tag)


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


class Puller:
    """Pulls with one session, for one platform; *strict* refuses any other."""

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
        """Pull one image; *pinned* is what its tag means."""
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
        config = self.config(sources, document.config)
        if self._strict:
            _refuse_other_platform(config, reference, self._wanted)
        new = NewImage(config, names, digests, tuple(document.layers), manifest.data)
        if self._layout.home(image_id) is self._layout:
            try:
                self._get_layers(sources, new)
            except StoreFull:
                self._make_room(new)
                raise
        else:  # a site has it
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

    def _is_complete(self, image_id: Digest) -> bool:
        return self._layout.home(image_id).image(image_id).exists()

    def config(self, sources: Sequence[Repository], descriptor: oci.Descriptor) -> bytes:
        """Return the configuration that a manifest names."""
        from sandbox.registry.session import first_answer

        digest = parse_digest(descriptor.digest)
        if self._is_complete(digest):
            return self._store.raw_config(digest)
        return first_answer(
            sources, lambda source: source.blob(digest, descriptor.size, _CONFIG_LIMIT)
        )[1]

    def _make_room(self, new: NewImage) -> None:
        """Drop what came of an image that does not fit; a full disk needs the room."""
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
