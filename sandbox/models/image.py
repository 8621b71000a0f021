# SPDX-License-Identifier: MIT
"""An image: a validated, typed summary of its record and documents."""

from __future__ import annotations

import platform
from typing import TYPE_CHECKING, Any

from sandbox.errors import CorruptData
from sandbox.models import oci
from sandbox.models.digest import Digest, chain_ids, parse_digest, short_id
from sandbox.models.record import Record, field
from sandbox.models.reference import DEFAULT_TAG, HOST, parse_reference

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.models.oci import History, ImageConfig, RunConfig

# The digest of b"the machine's own tree", as a literal: hashing would load OpenSSL.
_HOST_ID = Digest("sha256:1847a809c2d27f276441b29150095af9a551072a784fb05cf7d690f281f94b4f")
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64", "i686": "386"}
_LAYER_LIMIT = 127 * 4  # Docker's limit is 127; other builders make more


class Image(Record, frozen=True):
    """One image of the store. ``layers`` are diff ids, the lowest first."""

    id: Digest
    config: RunConfig
    architecture: str
    os: str
    variant: str
    author: str
    created: str | None
    layers: tuple[Digest, ...]
    history: tuple[History, ...]
    repo_tags: tuple[str, ...] = ()
    repo_digests: tuple[str, ...] = ()
    layer_sizes: tuple[int, ...] = ()
    comment: str = ""
    blobs: tuple[oci.Descriptor, ...] = ()
    """The blobs of the layers in a registry, the lowest first; empty if they are not known."""
    manifest: Digest | None = None
    """The digest of the manifest that came with the image."""
    lower_blobs: tuple[oci.Descriptor, ...] = ()
    """The blobs of the lowest layers, for an image built here: those of its base."""
    parent: str = ""
    """The image of the container that was committed."""
    container: str = ""
    """The id of the container that was committed."""
    container_config: Mapping[str, Any] = field(default_factory=dict)
    """That container's configuration, with Docker's names."""
    annotations: Mapping[str, str] = field(default_factory=dict)
    """The annotations for a new manifest of an image built here."""

    @property
    def is_host(self) -> bool:
        """Whether this is the host's own tree, which has no layers."""
        return self.id == _HOST_ID

    @property
    def size(self) -> int:
        """The bytes of all files in all layers."""
        return sum(self.layer_sizes)

    @property
    def chain_ids(self) -> list[Digest]:
        """The chain ids of the stack, the lowest layer first."""
        return chain_ids(self.layers)

    @property
    def chain_id(self) -> Digest | None:
        """The chain id of the whole stack; None if the image has no layers."""
        return chain_ids(self.layers)[-1] if self.layers else None

    @property
    def short_id(self) -> str:
        """The twelve digits that Docker shows."""
        return short_id(self.id)

    @property
    def familiar_tags(self) -> list[str]:
        """The tags in short form, for example ubuntu:14.04."""
        return [parse_reference(tag).familiar for tag in self.repo_tags]

    @property
    def familiar_digests(self) -> list[str]:
        """The repository digests in short form."""
        return [parse_reference(name).familiar for name in self.repo_digests]


def host_image() -> Image:
    """Return the reserved image "host": the host's own tree in its current state."""
    machine = platform.machine()
    return Image(
        id=_HOST_ID,
        config=oci.RunConfig(env=[f"PATH={_PATH}"], cmd=["/bin/sh"]),
        architecture=_ARCHITECTURES.get(machine, machine),
        os="linux",
        variant="",
        author="",
        created=None,
        layers=(),
        history=(),
        repo_tags=(f"{HOST}:{DEFAULT_TAG}",),
    )


def parse_config(raw: bytes) -> tuple[ImageConfig, tuple[Digest, ...]]:
    """Return the configuration in *raw* and its diff ids. Raises CorruptData."""
    document = oci.decode(raw, oci.ImageConfig, what="image configuration")
    rootfs = document.rootfs
    if rootfs is None or rootfs.type != "layers":
        raise CorruptData("image configuration: no rootfs of type 'layers'")
    diff_ids = tuple(parse_digest(text) for text in rootfs.diff_ids or ())
    if len(diff_ids) > _LAYER_LIMIT:
        raise CorruptData(f"image configuration: too many layers ({len(diff_ids)})")
    return document, diff_ids


def layer_histories(image: Image) -> list[tuple[History, int]]:
    """Return the build steps of *image*, newest first, each with its size in bytes."""
    sizes = iter(image.layer_sizes)
    steps = [(step, 0 if step.empty_layer else next(sizes, 0)) for step in image.history]
    return steps[::-1]
