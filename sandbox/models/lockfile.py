# SPDX-License-Identifier: MIT
"""A lockfile: which digest a name with a tag means, whatever the registry says later. Pure.

Format, in JSON; names in full, digests of the manifest or index::

    {"version": 1, "images": {"docker.io/library/alpine:3.20": "sha256:..."}}

Does not know: where the file is, or who writes it.
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
    """The images that a file locks; *strict* means that no other may be used."""

    path: str
    images: Mapping[str, Digest] = {}
    strict: bool = False

    def digest_of(self, name: str) -> Digest | None:
        """Return the digest a name is locked to; None for what has no tag, or is free."""
        reference = image_reference(name)
        if reference is None or reference.is_host or reference.digest is not None:
            return None
        wanted = str(reference.with_default_tag())
        if self.strict and wanted not in self.images:
            raise UsageError(f"{self.path} does not lock {wanted}, and --locked takes nothing else")
        return self.images.get(wanted)

    def pinned(self, name: str) -> str:
        """Return the name with the locked digest in place of the tag, or as it is."""
        digest = self.digest_of(name)
        if digest is None:
            return name
        reference = parse_reference(name)
        return Reference(reference.domain, reference.path, digest=digest).familiar

    def with_digest(self, reference: Reference, digest: Digest) -> Lockfile:
        """Return the lockfile after *reference*, which has a tag, was locked."""
        return replace(self, images={**self.images, str(reference): digest})

    @contextmanager
    def blamed(self, name: str) -> Iterator[None]:
        """Say of what is not found by its digest that this file asks for it."""
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
    """Return what the file at *path* says; CorruptData if it is no lockfile."""
    try:
        document = msgspec.json.decode(data, type=_Document)
    except (msgspec.MsgspecError, UnicodeError, RecursionError) as exc:
        raise CorruptData(f"{path} is no lockfile: {exc}") from exc
    if document.version != _VERSION:
        raise CorruptData(f"{path} is a lockfile of version {document.version}, not {_VERSION}")
    images = {}
    for name, text in document.images.items():
        try:
            reference, digest = parse_reference(name), parse_digest(text)
        except SandboxError as exc:
            raise CorruptData(f"{path} is no lockfile: {exc.message}") from exc
        if str(reference) != name or reference.tag is None or reference.digest is not None:
            raise CorruptData(f"{path} is no lockfile: {name!r} is no full name with a tag")
        images[name] = digest
    return Lockfile(path, images, strict)


def lockfile_bytes(lockfile: Lockfile) -> bytes:
    """Return the file's content, sorted, so that versions of it compare well."""
    images = {name: str(digest) for name, digest in sorted(lockfile.images.items())}
    return json.dumps({"version": _VERSION, "images": images}, indent=2).encode() + b"\n"
