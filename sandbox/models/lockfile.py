# SPDX-License-Identifier: MIT
"""A lockfile: fixes the digest of each tagged name, whatever the registry says later. Pure.

Format: JSON with full names and the digests of their manifests or indexes::

    {"version": 1, "images": {"docker.io/library/alpine:3.20": "sha256:..."}}

Must not know: where the file is, who writes it.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

import msgspec

from sandbox.errors import CorruptData, NotFound, SandboxError, UsageError
from sandbox.models.digest import Digest, parse_digest
from sandbox.models.record import Record, replace
from sandbox.models.reference import Reference, image_reference, parse_reference

if TYPE_CHECKING:
    from collections.abc import Iterator

_VERSION = 1


class _Document(msgspec.Struct, forbid_unknown_fields=True):
    version: int
    images: dict[str, str]


class Lockfile(Record, frozen=True):
    """The locked images of one file; *strict* forbids all other images."""

    path: str
    images: Mapping[str, Digest] = {}
    strict: bool = False

    def digest_of(self, name: str) -> Digest | None:
        """Return the locked digest of a name; None if it has no tag or is not locked.

        Raises UsageError for a name that is not locked, if the lockfile is *strict*.
        """
        reference = image_reference(name)
        if reference is None or reference.is_host or reference.digest is not None:
            return None
        wanted = str(reference.with_default_tag())
        if self.strict and wanted not in self.images:
            raise UsageError(f"{self.path} does not lock {wanted}, and --locked allows no other")
        return self.images.get(wanted)

    def pinned(self, name: str) -> str:
        """Return the name with the locked digest instead of the tag; else unchanged."""
        digest = self.digest_of(name)
        if digest is None:
            return name
        reference = parse_reference(name)
        return Reference(reference.domain, reference.path, digest=digest).familiar

    def with_digest(self, reference: Reference, digest: Digest) -> Lockfile:
        """Return the lockfile with *reference*, which has a tag, locked to *digest*."""
        return replace(self, images={**self.images, str(reference): digest})

    @contextmanager
    def mentioned(self, name: str) -> Iterator[None]:
        """Mention the lockfile in the error if a locked digest is not found."""
        try:
            yield
        except NotFound as exc:
            if "@" not in name:
                raise
            text = f"{exc.message}: {self.path} locks the image to that digest"
            failure = type(exc)(text)
            failure.exit_code = exc.exit_code
            raise failure from exc


def parse_lockfile(data: bytes, path: str, *, strict: bool = False) -> Lockfile:
    """Return the lockfile with content *data*. Raises CorruptData."""
    try:
        document = msgspec.json.decode(data, type=_Document)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as exc:
        raise CorruptData(f"{path} is not a lockfile: {exc}") from exc
    if document.version != _VERSION:
        raise CorruptData(f"{path} is a lockfile of version {document.version}, not {_VERSION}")
    images = {}
    for name, text in document.images.items():
        try:
            reference, digest = parse_reference(name), parse_digest(text)
        except SandboxError as exc:
            raise CorruptData(f"{path} is not a lockfile: {exc.message}") from exc
        if str(reference) != name or reference.tag is None or reference.digest is not None:
            raise CorruptData(f"{path} is not a lockfile: {name!r} is not a full name with a tag")
        images[name] = digest
    return Lockfile(path, images, strict)


def lockfile_bytes(lockfile: Lockfile) -> bytes:
    """Return the content of the file, sorted so that versions of it are easy to compare."""
    images = {name: str(digest) for name, digest in sorted(lockfile.images.items())}
    return json.dumps({"version": _VERSION, "images": images}, indent=2).encode() + b"\n"
