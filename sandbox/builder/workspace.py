# SPDX-License-Identifier: MIT
"""The workspace of a build: stacks of layers as trees, and new layers into the store.

How it works: all files of a build lie in one workspace of the store, so the sweep removes
what a killed build leaves. The build's layers are pinned until it ends. A layer without
entries changes no tree and needs no index.

Does not know: instructions.
"""

from __future__ import annotations

import os
import re
import shutil
import threading
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.errors import NativeError, map_os_errors
from sandbox.models.container import ContainerConfig
from sandbox.native import core
from sandbox.runtime import ipc, launch, rundir
from sandbox.runtime.process import reaper
from sandbox.store import build_cache
from sandbox.store.atomic_files import is_owned, sync_directory, sync_file_system, sync_tree
from sandbox.store.images import ImageStore
from sandbox.store.layers import adopt_layer, ensure_stack, read_layer_info
from sandbox.store.lock import store_lock
from sandbox.store.pins import PINNING, pin

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from sandbox.layers.unpack import UnpackedLayer
    from sandbox.models import oci
    from sandbox.models.digest import Digest
    from sandbox.models.image import Image
    from sandbox.store.layout import Layout

PREFIX = f"{PINNING}build-"
_RUNNING = "running"
_ID = re.compile("[0-9a-f]{64}")
_FEW = 64


@dataclass(frozen=True)
class Box:
    """The directory of one container of a build, and its id."""

    path: Path
    id: str

    @property
    def upper(self) -> Path:
        """The upper directory."""
        return self.path / "upper"


class Workspace:
    """One build's workspace *scratch*, in the store of *layout*."""

    def __init__(self, layout: Layout, scratch: Path, guest: str) -> None:
        """Work with the guest runtime *guest*."""
        self.layout = layout
        self.scratch = scratch
        self._guest = guest
        self._lock = threading.Lock()
        self._count = 0
        self._pins: set[Digest] = set()
        self._unsettled: dict[str, Digest | None] = {}
        """Keys of steps whose layers may not be on the disk yet."""
        self._nameless: set[Digest] = set()
        """New layers that no step is remembered for."""
        self._empty: dict[Digest, bool] = {}

    def folder(self, name: str) -> Path:
        """Return a new directory."""
        with self._lock:
            self._count += 1
            path = self.scratch / f"{name}-{self._count}"
        with map_os_errors(f"cannot make {path}"):
            path.mkdir(0o700)
        return path

    def box(self) -> Box:
        """Return a new box; its recorded id leads to the remains of a killed build."""
        box = Box(self.folder("box"), os.urandom(32).hex())
        with map_os_errors("cannot make a container"):
            box.upper.mkdir(0o700)
            (box.path / "work").mkdir(0o700)
            (box.path / _RUNNING).write_text(box.id, encoding="ascii")
        return box

    def place(self, layers: tuple[Digest, ...], box: Box, *, is_host: bool = False) -> launch.Place:
        """Return the place of a container on top of *layers*, or of the machine itself."""
        seen = self._seen(layers)
        index = None
        if not is_host:
            index = os.fspath(self._index(seen))
        return launch.Place(
            store_root=os.fspath(self.layout.root),
            container_dir=os.fspath(box.path),
            upper=os.fspath(box.upper),
            owners=os.fspath(box.path / "owners"),
            index=index,
            layer_dirs=tuple(os.fspath(self.layout.layer_diff(layer)) for layer in seen),
            guest=self._guest,
            own_root=os.fspath(self.layout.root),
        )

    def _seen(self, layers: tuple[Digest, ...]) -> tuple[Digest, ...]:
        """Return the layers that are not empty."""
        for layer in layers:
            if layer not in self._empty:
                self._empty[layer] = read_layer_info(self.layout, layer).entries == 0
        return tuple(layer for layer in layers if not self._empty[layer])

    def _index(self, layers: tuple[Digest, ...]) -> Path:
        if layers:
            return ensure_stack(self.layout, self.layout, layers)
        path = self.scratch / "nothing"
        with self._lock:
            if not path.exists():
                core.build_index([], os.fspath(path))
        return path

    @contextmanager
    def tree(
        self, layers: tuple[Digest, ...], *, box: Box | None = None, is_host: bool = False
    ) -> Iterator[core.Tree]:
        """Give the tree of a stack of layers, or of a box on top of it."""
        box = box or self.box()
        place = self.place(layers, box, is_host=is_host)
        config = idle_config(os.urandom(32).hex())  # several threads may read one box at once
        with launch.resting_tree(config, place, with_mounts=False) as tree:
            yield tree

    def keep(self, digests: Iterable[Digest]) -> None:
        """Pin layers and blobs until the build is over."""
        with self._lock:
            new = set(digests) - self._pins
            if new:
                self._pins |= new
                pin(self.layout, self.scratch, self._pins)

    def add(self, key: str, layer: UnpackedLayer, step: build_cache.Step | None) -> None:
        """Put a new layer into the store and remember the step that made it, if any."""
        self.keep([layer.diff_id])
        with store_lock(self.layout):
            adopt_layer(self.layout, layer.diff_id, layer.path)
            if key and step is not None:
                build_cache.write_step(self.layout, key, step)
        self.note(key, layer.diff_id)

    def note(self, key: str, layer: Digest) -> None:
        """Mark a layer for the next sync, after which its step's record says so."""
        with self._lock:
            if key:
                self._unsettled[key] = layer
            else:
                self._nameless.add(layer)

    def remember(self, key: str, step: build_cache.Step) -> None:
        """Remember a step whose layer is in the store."""
        with store_lock(self.layout):
            build_cache.write_step(self.layout, key, step)
        with self._lock:
            self._unsettled[key] = None  # layers from elsewhere are durable

    def adopt(self, layers: dict[Digest, Path], blobs: dict[Digest, Path]) -> None:
        """Put layers from elsewhere into the store."""
        self.keep([*layers, *blobs])
        ImageStore(self.layout).adopt(layers, blobs)

    def settle(self) -> None:
        """Sync everything that was added."""
        with self._lock:
            keys, self._unsettled = self._unsettled, {}
            layers, self._nameless = self._nameless, set()
        layers |= {layer for layer in keys.values() if layer is not None}
        if layers:
            with map_os_errors("cannot sync the new layers"):
                self._sync(layers)
        if keys:
            build_cache.settle(self.layout, keys)

    def _sync(self, layers: set[Digest]) -> None:
        """Sync few files one by one: a whole sync would wait for other writers of the disk."""
        entries = sum(read_layer_info(self.layout, layer).entries for layer in layers)
        if entries > _FEW:
            sync_file_system(self.layout.root)
            return
        for layer in layers:
            sync_tree(self.layout.layer(layer))
        sync_directory(self.layout.layers)

    def bring_home(self, image: Image) -> None:
        """Copy the layers of an image in a read-only store into the user's own store."""
        home = self.layout.home(image.id)
        if home is self.layout:
            return
        for layer in image.layers:
            if self.layout.layer(layer).is_dir():
                continue
            copy = self.folder("copied") / "layer"
            with map_os_errors(f"cannot copy the layer {layer}"):
                shutil.copytree(home.layer(layer), copy, symlinks=True)
            self.adopt({layer: copy}, {})

    def blob_of(self, layer: Digest) -> oci.Descriptor | None:
        """Return the blob of a layer that an image or a record of the store names."""
        return ImageStore(self.layout).blobs_of().get(layer)


def idle_config(box_id: str) -> ContainerConfig:
    """Return the configuration of a container without processes."""
    return ContainerConfig(
        id=box_id, name="build", created="", image="build", image_id="", entrypoint=(), cmd=()
    )


def clean_up(layout: Layout) -> None:
    """Kill the processes of killed builds, and remove their run directories."""
    with suppress(OSError):
        for path in layout.tmp.iterdir():
            if not path.name.startswith(PREFIX):
                continue
            # The notes first: a build has no owner yet when it makes its workspace.
            notes = [note.read_text("ascii") for note in path.glob(f"box-*/{_RUNNING}")]
            if notes and not is_owned(path):
                for box_id in notes:
                    if _ID.fullmatch(box_id):  # a kill may leave an empty note
                        _end(box_id)


def _end(box_id: str) -> None:
    for place in rundir.remains(box_id, os.environ):
        with suppress(NativeError):
            reaper.kill_all(place.control)
        rundir.remove(place.path)
        ipc.sweep(os.path.dirname(place.path))
