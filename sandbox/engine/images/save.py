# SPDX-License-Identifier: MIT
"""``save``: write images to archives that docker, podman, skopeo and umoci read.

How it works: every archive is an OCI image layout. A docker-archive also has ``manifest.json``,
which names the same blobs. Blobs are written as they came. With a base image, the layers that the
base has too are named but left out.

Rules: the same images give the same bytes.
"""

from __future__ import annotations

import io
import json
import os
import shutil
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.engine.images.blobs import ImageBlobs
from sandbox.engine.registries.session import is_offline, open_session
from sandbox.errors import Conflict, UsageError, map_os_errors
from sandbox.layers.byte_streams import HashingReader
from sandbox.layers.tar_writer import PackEntry, write_tar
from sandbox.models import oci
from sandbox.models.digest import Digest, hex_of, parse_digest
from sandbox.models.reference import Reference, image_reference, parse_reference
from sandbox.store.images import ImageStore

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from sandbox.layers.byte_streams import Readable
    from sandbox.models.image import Image
    from sandbox.store.layout import Layout

DOCKER_ARCHIVE = "docker-archive"
OCI_ARCHIVE = "oci-archive"
OCI_DIRECTORY = "oci-dir"
FORMATS = (DOCKER_ARCHIVE, OCI_ARCHIVE, OCI_DIRECTORY)
_LAYOUT = b'{"imageLayoutVersion":"1.0.0"}'
_INDEX = "application/vnd.oci.image.index.v1+json"
_CHUNK = 1024 * 1024


@dataclass(frozen=True)
class _File:
    """One file of a layout: bytes, or a blob and its path in the store."""

    data: bytes = b""
    path: Path | None = None
    blob: oci.Descriptor | None = None

    @property
    def size(self) -> int:
        """The size in bytes."""
        return len(self.data) if self.blob is None else self.blob.size

    @contextmanager
    def open(self) -> Iterator[Readable]:
        """Give the content, to be read once; at its end, size and digest are checked."""
        if self.path is None or self.blob is None:
            yield io.BytesIO(self.data)
            return
        with self.path.open("rb") as file:
            reader = HashingReader(file)
            yield reader
            reader.verify(
                digest=parse_digest(self.blob.digest),
                size=self.blob.size,
                what="a blob of the store",
            )


@dataclass
class _Saving:
    """The files of an archive in the making."""

    layout: Layout
    left_out: frozenset[Digest]
    files: dict[str, _File] = field(default_factory=dict)
    index: list[dict[str, Any]] = field(default_factory=list)
    saved: list[dict[str, Any]] = field(default_factory=list)

    def add(self, image: Image, names: Sequence[Reference], content: ImageBlobs) -> None:
        """Add an image under all its names."""
        config = ImageStore(self.layout).raw_config(image.id)
        manifest = content.manifest()
        self._put(image.id, _File(config))
        self._put(manifest.digest, _File(manifest.data))
        for layer, blob in zip(image.layers, content.blobs, strict=True):
            if layer not in self.left_out:
                session = None if is_offline() or content.path(blob) else open_session()
                self._put(
                    parse_digest(blob.digest), _File(path=content.fetch(session, blob), blob=blob)
                )
        self.saved.append(
            {
                "Config": _blob_name(image.id),
                "RepoTags": [name.familiar for name in names] or None,
                "Layers": [_blob_name(parse_digest(blob.digest)) for blob in content.blobs],
            }
        )
        entry = {
            "mediaType": manifest.media_type,
            "digest": manifest.digest,
            "size": len(manifest.data),
            "platform": _platform(image),
        }
        for name in names:
            notes = {oci.CONTAINERD_NAME: str(name), oci.REF_NAME: str(name.tag)}
            self.index.append({**entry, "annotations": notes})
        if not names:
            self.index.append(entry)

    def complete(self, kind: str) -> dict[str, _File]:
        """Return all files."""
        index = {"schemaVersion": 2, "mediaType": _INDEX, "manifests": self.index}
        self.files["index.json"] = _File(_json(index))
        self.files["oci-layout"] = _File(_LAYOUT)
        if kind == DOCKER_ARCHIVE:
            self.files["manifest.json"] = _File(_json(self.saved))
        return dict(sorted(self.files.items()))

    def _put(self, digest: Digest, file: _File) -> None:
        self.files[_blob_name(digest)] = file


def save_images(
    layout: Layout,
    names: Sequence[str],
    write: Callable[[bytes], object],
    *,
    kind: str,
    since: str | None,
) -> None:
    """Write images as one archive."""
    with ExitStack() as stack:
        files = _collect(layout, names, kind, since, stack)
        with map_os_errors("cannot write the archive"):
            write_tar(_entries(files), write)


def save_directory(layout: Layout, names: Sequence[str], path: str, *, since: str | None) -> None:
    """Write images as an OCI layout into the new directory *path*."""
    if os.path.lexists(path):
        raise Conflict(f"{path} exists already")
    with ExitStack() as stack:
        files = _collect(layout, names, OCI_DIRECTORY, since, stack)
        draft = Path(f"{path}.{os.getpid()}.part")
        with map_os_errors(f"cannot write {path}"):
            try:
                _write_directory(files, draft)
                draft.rename(path)
            except BaseException:
                shutil.rmtree(draft, ignore_errors=True)
                raise


def _collect(
    layout: Layout, names: Sequence[str], kind: str, since: str | None, stack: ExitStack
) -> dict[str, _File]:
    if kind not in FORMATS:
        raise UsageError(f"unknown format {kind!r}: choose one of {', '.join(FORMATS)}")
    store = ImageStore(layout)
    left_out = frozenset() if since is None else frozenset(store.find(since).layers)
    saving = _Saving(layout, left_out)
    for image, references in _grouped(store, names):
        content = stack.enter_context(ImageBlobs(layout, image))
        saving.add(image, references, content)
    return saving.complete(kind)


def _grouped(store: ImageStore, names: Iterable[str]) -> list[tuple[Image, list[Reference]]]:
    """Return each image once, with all names to save it under."""
    images: dict[Digest, Image] = {}
    references: dict[Digest, list[Reference]] = {}
    for name in names:
        for image, reference in _meant(store, name):
            if image.is_host:
                raise UsageError("the image 'host' is the machine itself: it cannot be saved")
            images[image.id] = image
            known = references.setdefault(image.id, [])
            if reference is not None and reference not in known:
                known.append(reference)
    return [(image, references[image_id]) for image_id, image in images.items()]


def _meant(store: ImageStore, name: str) -> list[tuple[Image, Reference | None]]:
    """Return the images of a name: one image, or every tag of a repository."""
    reference = image_reference(name)
    if reference is not None and reference.tag is None and reference.digest is None:
        every = [
            (image, tag)
            for image in store.all()
            for tag in map(parse_reference, image.repo_tags)
            if tag.name == reference.name
        ]
        if every:
            return [(image, tag) for image, tag in every]
    image = store.find(name)
    if reference is not None and str(reference.with_default_tag()) in image.repo_tags:
        return [(image, reference.with_default_tag())]
    return [(image, None)]


def _entries(files: dict[str, _File]) -> Iterable[PackEntry]:
    folders: set[str] = set()
    for name, file in files.items():
        for folder in _parents(name):
            if folder not in folders:
                folders.add(folder)
                yield PackEntry(folder.encode(), "d", 0o755)
        with ExitStack() as inner:
            opener = partial(_opened, file, inner)
            yield PackEntry(name.encode(), "f", 0o644, size=file.size, open=opener)


def _opened(file: _File, stack: ExitStack) -> Readable:
    return stack.enter_context(file.open())


def _parents(name: str) -> list[str]:
    parts = name.split("/")[:-1]
    return ["/".join(parts[: depth + 1]) for depth in range(len(parts))]


def _write_directory(files: dict[str, _File], draft: Path) -> None:
    for name, file in files.items():
        target = draft / name
        target.parent.mkdir(parents=True, exist_ok=True)
        with file.open() as source, target.open("xb") as sink:
            while data := source.read(_CHUNK):
                sink.write(data)


def _blob_name(digest: Digest) -> str:
    return f"blobs/sha256/{hex_of(digest)}"


def _platform(image: Image) -> dict[str, str]:
    found = {"architecture": image.architecture or "amd64", "os": image.os or "linux"}
    return {**found, "variant": image.variant} if image.variant else found


def _json(document: Any) -> bytes:
    return json.dumps(document, separators=(",", ":")).encode()
