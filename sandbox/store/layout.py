# SPDX-License-Identifier: MIT
"""Every name the store has on disk, in one place.

::

    root/
      lock                             taken for every change
      tags.json                        references -> image ids
      blobs/sha256/<hex>               content by digest: configurations, manifests, layers
                                       as they were pulled or loaded
      downloads/<hex>                  blobs on their way, kept so that they can be resumed
      images/<hex of the id>.json      one record an image
      layers/<hex of the diff id>/     diff/  meta.jsonl  info.json
      indexes/<hex of the chain id>    the merged tree of a stack, and its .stamp
      containers/<64 hex>/             what one container owns
      bin/                             the guest program, when it must be copied
      lists/<name>                     lists of manifests being made
      build-steps/<64 hex>.json        which layer a step of a build gave
      build-boot                       in which boot all of these were looked at
      build-mounts/<64 hex>/           what RUN --mount=type=cache keeps
      site-indexes/<hex>-<crc>         indexes of the layers of a store that is only read
      tmp/<random>/                    work in progress, each held by its own lock

Rules: pure naming, apart from prepare(); nobody else spells a name of the store.
"""

from __future__ import annotations

import os
import zlib
from pathlib import Path

from sandbox.errors import map_os_errors
from sandbox.models.digest import Digest, hex_of
from sandbox.models.record import Record

DIFF = "diff"
META = "meta.jsonl"
INFO = "info.json"
_PRIVATE = 0o700


class Layout(Record, frozen=True):
    """The names below one store's root."""

    root: Path
    sites: tuple[Layout, ...] = ()
    """Stores that are only read: images for everybody. An image is whole in one store."""

    @classmethod
    def default(cls) -> Layout:
        """Return the user's store: $SANDBOX_ROOT, or one below the XDG data home.

        $SANDBOX_ROOT may be several, with colons between: the last is the user's own.
        """
        *sites, own = _roots()
        return cls(own, tuple(cls(path) for path in sites))

    def home(self, image_id: Digest) -> Layout:
        """Return the store that has this image; this one if none has."""
        if self.image(image_id).exists():
            return self
        return next((site for site in self.sites if site.image(image_id).exists()), self)

    def site_index(self, site: Layout, chain_id: Digest) -> Path:
        """Where this store keeps an index of another one's layers."""
        name = f"{hex_of(chain_id)}-{zlib.crc32(os.fsencode(site.root)):08x}"
        return self.root / "site-indexes" / name

    @property
    def lock(self) -> Path:
        """The file whose lock guards every change."""
        return self.root / "lock"

    @property
    def tags(self) -> Path:
        """The table from references to image ids."""
        return self.root / "tags.json"

    @property
    def blobs(self) -> Path:
        """Content by digest."""
        return self.root / "blobs" / "sha256"

    @property
    def images(self) -> Path:
        """One record an image."""
        return self.root / "images"

    @property
    def layers(self) -> Path:
        """Unpacked layers by diff id."""
        return self.root / "layers"

    @property
    def indexes(self) -> Path:
        """Merged trees by chain id."""
        return self.root / "indexes"

    @property
    def containers(self) -> Path:
        """One directory a container."""
        return self.root / "containers"

    @property
    def guest_dir(self) -> Path:
        """Where the guest program is copied if it cannot run where it is."""
        return self.root / "bin"

    @property
    def downloads(self) -> Path:
        """Blobs on their way."""
        return self.root / "downloads"

    @property
    def lists(self) -> Path:
        """Lists of manifests being made, by their quoted names."""
        return self.root / "lists"

    @property
    def build_steps(self) -> Path:
        """What steps of builds gave, by key."""
        return self.root / "build-steps"

    @property
    def build_boot(self) -> Path:
        """Since which boot of the machine no record of an earlier one can be unsure."""
        return self.root / "build-boot"

    @property
    def build_mounts(self) -> Path:
        """The directories of cache mounts."""
        return self.root / "build-mounts"

    @property
    def tmp(self) -> Path:
        """Work in progress."""
        return self.root / "tmp"

    def build_step(self, key: str) -> Path:
        """The record of the step with this key."""
        return self.build_steps / f"{key}.json"

    def blob(self, digest: Digest) -> Path:
        """The content with this digest."""
        return self.blobs / hex_of(digest)

    def download(self, digest: Digest) -> Path:
        """What has come of this blob so far; its lock is held by whoever adds to it."""
        return self.downloads / hex_of(digest)

    def image(self, image_id: Digest) -> Path:
        """The record of this image."""
        return self.images / f"{hex_of(image_id)}.json"

    def layer(self, diff_id: Digest) -> Path:
        """The directory of this layer."""
        return self.layers / hex_of(diff_id)

    def layer_diff(self, diff_id: Digest) -> Path:
        """The files of this layer."""
        return self.layer(diff_id) / DIFF

    def layer_meta(self, diff_id: Digest) -> Path:
        """What the layer's tar said and host files cannot hold."""
        return self.layer(diff_id) / META

    def layer_info(self, diff_id: Digest) -> Path:
        """The layer's size and number of entries."""
        return self.layer(diff_id) / INFO

    def index(self, chain_id: Digest) -> Path:
        """The merged tree of this stack of layers."""
        return self.indexes / hex_of(chain_id)

    def index_stamp(self, chain_id: Digest) -> Path:
        """What the index was made from; it is stale when this no longer fits."""
        return self.indexes / f"{hex_of(chain_id)}.stamp"

    def container(self, container_id: str) -> Path:
        """The directory of this container."""
        return self.containers / container_id

    def prepare(self) -> None:
        """Make the directories that every change relies on."""
        with map_os_errors(f"cannot create the store {self.root}"):
            self.root.mkdir(_PRIVATE, parents=True, exist_ok=True)
            for path in (
                self.blobs.parent,
                self.blobs,
                self.images,
                self.layers,
                self.indexes,
                self.containers,
                self.downloads,
                self.tmp,
            ):
                path.mkdir(_PRIVATE, exist_ok=True)


def default_root() -> Path:
    """Return the place of the user's own store."""
    return _roots()[-1]


def _roots() -> list[Path]:
    """Return the places of all stores, the user's own last."""
    named = [part for part in os.environ.get("SANDBOX_ROOT", "").split(":") if part]
    if named:
        return [Path(part).absolute() for part in named]
    data = os.environ.get("XDG_DATA_HOME", "")
    base = Path(data) if data.startswith("/") else Path.home() / ".local" / "share"
    return [base / "sandbox"]
