# SPDX-License-Identifier: MIT
"""The names of all files and directories in a store.

::

    root/
      lock                             the lock of the store, held for every change
      sweeping                         the lock of the process that deletes removed trees
      settings.toml                    what the user sets for the whole store
      unconfined                       the user was told that the kernel's fence is missing
      tags.json                        maps references to image ids
      blobs/sha256/<hex>               content by digest: configurations, manifests, and layers
                                       as they were pulled or loaded
      downloads/<hex>                  incomplete blobs, kept so that downloads can resume
      images/<hex of the id>.json      one record an image
      layers/<hex of the diff id>/     diff/  meta.jsonl  info.json  digests.json
                                       and rewritten/, copies of its programs
      indexes/<hex of the chain id>    the merged tree of a stack, and its .stamp
      containers/<64 hex>/             one directory a container
      names/<name>                     links to these, by name
      bin/                             a copy of the guest program, if one is needed
      lists/<name>                     lists of manifests that are not pushed yet
      build-steps/<64 hex>.json        the layer that a step of a build made
      build-boot                       the boot in which all of these were checked
      build-mounts/<64 hex>/           the content of RUN --mount=type=cache
      site-indexes/<hex>-<crc>         indexes of layers in a read-only store
      tmp/<random>/                    unfinished work, each with the lock of its owner

Rules: only names, no I/O, except prepare(). No other module spells a name of the store.
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
    """The paths below one store's root."""

    root: Path
    sites: tuple[Layout, ...] = ()
    """Read-only stores with images for all users. All parts of an image are in one store."""

    @classmethod
    def default(cls) -> Layout:
        """Return the user's store: $SANDBOX_ROOT, or a directory in the XDG data home.

        $SANDBOX_ROOT may list several stores, separated by colons; the last is the user's own.
        """
        *sites, own = _roots()
        return cls(own, tuple(cls(path) for path in sites))

    def home(self, image_id: Digest) -> Layout:
        """Return the store that has this image; this store if none has it."""
        if self.image(image_id).exists():
            return self
        return next((site for site in self.sites if site.image(image_id).exists()), self)

    def site_index(self, site: Layout, chain_id: Digest) -> Path:
        """The index, in this store, of a stack of layers in the store *site*."""
        name = f"{hex_of(chain_id)}-{zlib.crc32(os.fsencode(site.root)):08x}"
        return self.root / "site-indexes" / name

    @property
    def lock(self) -> Path:
        """The lock file that guards every change."""
        return self.root / "lock"

    @property
    def sweep_lock(self) -> Path:
        """The lock file of the process that deletes removed trees."""
        return self.root / "sweeping"

    @property
    def settings(self) -> Path:
        """The user's settings for the whole store."""
        return self.root / "settings.toml"

    @property
    def unconfined(self) -> Path:
        """The file that remembers that the user was told of a missing fence."""
        return self.root / "unconfined"

    @property
    def tags(self) -> Path:
        """The table that maps references to image ids."""
        return self.root / "tags.json"

    @property
    def blobs(self) -> Path:
        """Blobs by digest."""
        return self.root / "blobs" / "sha256"

    @property
    def images(self) -> Path:
        """Records of images by id."""
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
        """Directories of containers by id."""
        return self.root / "containers"

    @property
    def names(self) -> Path:
        """Links to the directories of containers, by name."""
        return self.root / "names"

    @property
    def guest_dir(self) -> Path:
        """The place for a copy of the guest program, if the installed one cannot run."""
        return self.root / "bin"

    @property
    def downloads(self) -> Path:
        """Incomplete blobs."""
        return self.root / "downloads"

    @property
    def lists(self) -> Path:
        """Lists of manifests that are not pushed yet, by quoted name."""
        return self.root / "lists"

    @property
    def build_steps(self) -> Path:
        """Results of build steps, by key."""
        return self.root / "build-steps"

    @property
    def build_boot(self) -> Path:
        """The id of the boot in which the records of build steps were last checked."""
        return self.root / "build-boot"

    @property
    def build_mounts(self) -> Path:
        """The directories of cache mounts."""
        return self.root / "build-mounts"

    @property
    def tmp(self) -> Path:
        """Unfinished work."""
        return self.root / "tmp"

    def build_step(self, key: str) -> Path:
        """The record of a build step, by its key."""
        return self.build_steps / f"{key}.json"

    def blob(self, digest: Digest) -> Path:
        """The blob with this digest."""
        return self.blobs / hex_of(digest)

    def download(self, digest: Digest) -> Path:
        """The part of a blob received so far; the process that appends to it holds its lock."""
        return self.downloads / hex_of(digest)

    def image(self, image_id: Digest) -> Path:
        """The record of this image."""
        return self.images / f"{hex_of(image_id)}.json"

    def layer(self, diff_id: Digest) -> Path:
        """The directory of this layer."""
        return self.layers / hex_of(diff_id)

    def layer_diff(self, diff_id: Digest) -> Path:
        """The tree of this layer's files."""
        return self.layer(diff_id) / DIFF

    def layer_meta(self, diff_id: Digest) -> Path:
        """The table of a layer: attributes that host files cannot have."""
        return self.layer(diff_id) / META

    def layer_info(self, diff_id: Digest) -> Path:
        """The layer's size and number of entries."""
        return self.layer(diff_id) / INFO

    def index(self, chain_id: Digest) -> Path:
        """The merged tree of a stack of layers."""
        return self.indexes / hex_of(chain_id)

    def index_stamp(self, chain_id: Digest) -> Path:
        """The state of the layers that the index was built from; if it differs, rebuild."""
        return self.indexes / f"{hex_of(chain_id)}.stamp"

    def container(self, container_id: str) -> Path:
        """The directory of this container."""
        return self.containers / container_id

    def prepare(self) -> None:
        """Create the directories that every change needs. Raises StoreError."""
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
    """Return the path of the user's own store."""
    return _roots()[-1]


def _roots() -> list[Path]:
    """Return the paths of all stores, the user's own last."""
    named = [part for part in os.environ.get("SANDBOX_ROOT", "").split(":") if part]
    if named:
        return [Path(part).absolute() for part in named]
    data = os.environ.get("XDG_DATA_HOME", "")
    base = Path(data) if data.startswith("/") else Path.home() / ".local" / "share"
    return [base / "sandbox"]
