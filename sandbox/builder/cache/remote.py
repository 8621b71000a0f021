# SPDX-License-Identifier: MIT
"""Remote caches: steps and their layers in a registry, a directory or an image.

How it works: a cache is a manifest. Its layers are those of the steps, and its configuration
is a table from keys to layers. An image with an *inline* cache has the table in its own
configuration. A layer is fetched only when a step uses it.

Rules: a layer whose content differs from the table is refused. A cache that cannot be read
does not fail the build; the build continues without it.
"""

from __future__ import annotations

import base64
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import msgspec

from sandbox.errors import CorruptData, DigestMismatch, SandboxError, map_os_errors
from sandbox.layers.unpack import unpack_layer
from sandbox.models import oci
from sandbox.models.digest import digest_of, hex_of, parse_digest
from sandbox.models.reference import parse_reference
from sandbox.store import build_cache

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from sandbox.builder.progress import Reporter
    from sandbox.builder.request import RemoteCache
    from sandbox.builder.workspace import Workspace
    from sandbox.registry.session import Session

CONFIG = "application/vnd.sandbox.buildcache.v1+json"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
INDEX = "application/vnd.oci.image.index.v1+json"
_LIMIT = 32 * 1024 * 1024
BLOBS = "blobs/sha256"


class Remembered(msgspec.Struct, frozen=True):
    """One step of a table."""

    key: str
    layer: str
    created: str
    description: str
    size: int = 0
    blob: oci.Descriptor | None = None


class Table(msgspec.Struct, frozen=True):
    """The table of a cache: its steps by key."""

    steps: list[Remembered]
    version: int = 1


def encode_inline(steps: Sequence[tuple[str, build_cache.Step]]) -> str:
    """Encode the table for an image's configuration."""
    table = Table([remembered(key, step) for key, step in steps])
    return base64.b64encode(msgspec.json.encode(table)).decode()


def remembered(key: str, step: build_cache.Step, blob: oci.Descriptor | None = None) -> Remembered:
    """Return a step in the form of a table's row."""
    return Remembered(key, step.layer, step.created, step.description, step.size, blob)


# ---- import ---------------------------------------------------------------------------------


class _Place:
    """The place of one cache: its table and its blobs."""

    def __init__(self, table: Table) -> None:
        self.table = {step.key: step for step in table.steps if step.blob is not None}

    @contextmanager
    def blob(self, shop: Workspace, descriptor: oci.Descriptor) -> Iterator[Path]:
        """Give the path of a blob's file, after its digest was checked."""
        raise NotImplementedError


class _InRegistry(_Place):
    def __init__(self, ref: str, session: Session) -> None:
        from sandbox.registry.session import read_manifest

        reference = parse_reference(ref).with_default_tag()
        self._session = session
        self._sources = session.sources(reference)
        raw = read_manifest(self._sources, str(reference.digest or reference.tag))
        document = oci.decode(raw.data, oci.Manifest, what=f"cache manifest {ref}")
        digest = parse_digest(document.config.digest)
        config = self._sources[0].blob(digest, document.config.size, _LIMIT)
        super().__init__(_table(config, document))

    @contextmanager
    def blob(self, shop: Workspace, descriptor: oci.Descriptor) -> Iterator[Path]:
        from sandbox.registry.download import downloaded

        with downloaded(
            shop.layout, descriptor, self._sources, transport=self._session.transport,
            progress=silent,
        ) as path:  # fmt: skip
            yield path


class _InDirectory(_Place):
    def __init__(self, options: Mapping[str, str]) -> None:
        self._path = Path(options["src"])
        with map_os_errors(f"cannot read the cache in {self._path}"):
            index = (self._path / "index.json").read_bytes()
        known = oci.decode(index, oci.Index, what=str(self._path)).manifests or []
        wanted = options.get("tag", "latest")
        fitting = [
            item for item in known if (item.annotations or {}).get(oci.REF_NAME, wanted) == wanted
        ]
        if "digest" in options:
            fitting = [item for item in known if item.digest == options["digest"]]
        if not fitting:
            raise CorruptData(f"{self._path}: no cache {wanted!r} in it")
        manifest = oci.decode(self._read(fitting[0].digest), oci.Manifest, what=str(self._path))
        super().__init__(_table(self._read(manifest.config.digest), manifest))

    def _read(self, text: str) -> bytes:
        digest = parse_digest(text)
        with map_os_errors(f"cannot read the cache in {self._path}"):
            data = (self._path / BLOBS / hex_of(digest)).read_bytes()
        if digest_of(data) != digest:
            raise DigestMismatch(f"{self._path}: the content {digest} is damaged")
        return data

    @contextmanager
    def blob(self, shop: Workspace, descriptor: oci.Descriptor) -> Iterator[Path]:
        del shop
        yield self._path / BLOBS / hex_of(parse_digest(descriptor.digest))


def _table(config: bytes, manifest: oci.Manifest) -> Table:
    """Return the table of a cache, or of an image with an inline cache."""
    if manifest.config.media_type == CONFIG:
        return oci.decode(config, Table, what="build cache")
    document = oci.decode(config, oci.ImageConfig, what="image configuration")
    if not document.build_cache:
        return Table([])
    try:
        raw = base64.b64decode(document.build_cache, validate=True)
    except ValueError as exc:
        raise CorruptData("the inline cache is damaged") from exc
    table = oci.decode(raw, Table, what="inline build cache")
    layers = (document.rootfs.diff_ids or []) if document.rootfs else []
    blobs = dict(zip(layers, manifest.layers, strict=False))
    return Table(
        [msgspec.structs.replace(step, blob=blobs.get(step.layer)) for step in table.steps]
    )


class RemoteCaches:
    """All caches from which a build may take steps."""

    def __init__(self, wanted: Sequence[RemoteCache], shop: Workspace, reporter: Reporter) -> None:
        """Read the tables; report a cache that cannot be read, and leave it out."""
        self._shop = shop
        self._places: list[_Place] = []
        for cache in wanted:
            name = cache.options.get("ref") or cache.options.get("src") or cache.kind
            vertex = reporter.start(f"importing cache manifest from {name}")
            try:
                self._places.append(_open(cache))
            except SandboxError as exc:
                reporter.end(vertex, error=exc.message)
            else:
                reporter.end(vertex)

    def find(self, key: str) -> build_cache.Step | None:
        """Return the step with this key, after its layer was brought into the store."""
        for place in self._places:
            known = place.table.get(key)
            if known is not None and known.blob is not None:
                self._fetch(place, known, known.blob)
                step = build_cache.Step(
                    layer=known.layer,
                    created=known.created,
                    description=known.description,
                    size=known.size,
                    boot=build_cache.boot_id(),
                )
                self._shop.remember(key, step)
                return step
        return None

    def _fetch(self, place: _Place, known: Remembered, blob: oci.Descriptor) -> None:
        layer = parse_digest(known.layer)
        self._shop.keep([layer])
        if self._shop.layout.layer(layer).is_dir():
            return
        into = self._shop.folder("fetched")
        with ExitStack() as stack:
            path = stack.enter_context(place.blob(self._shop, blob))
            stack.enter_context(map_os_errors(f"cannot read {path}"))
            unpacked = unpack_layer(stack.enter_context(path.open("rb")), into)
        if unpacked.diff_id != layer:
            raise DigestMismatch(f"build cache: the layer {layer} is really {unpacked.diff_id}")
        self._shop.adopt({layer: into}, {})


def _open(cache: RemoteCache) -> _Place:
    if cache.kind == "local":
        return _InDirectory(cache.options)
    from sandbox.registry.session import Session

    return _InRegistry(cache.options["ref"], Session())


def silent(name: str, status: str, done: int = 0, total: int = 0) -> None:
    """Ignore the message."""
