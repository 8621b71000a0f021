# SPDX-License-Identifier: MIT
"""Download one layer from a registry and unpack it into the store.

Must not know: to which image the layer belongs.
"""

from __future__ import annotations

import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sandbox.engine.images.parallel import Stopped
from sandbox.errors import DigestMismatch, NotFound, Unsupported, map_os_errors
from sandbox.models.digest import Digest, parse_digest, short_id
from sandbox.store.atomic_files import remove_tree
from sandbox.store.images import ImageStore
from sandbox.store.layers import has_layer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from sandbox.layers.memory_budget import Memory
    from sandbox.layers.unpack import UnpackedLayer
    from sandbox.models import oci
    from sandbox.registry.client import Repository
    from sandbox.registry.download import OnProgress
    from sandbox.registry.session import Session
    from sandbox.store.layout import Layout


@dataclass(frozen=True)
class LayerJob:
    """One layer to pull."""

    layout: Layout
    diff_id: Digest
    blob: oci.Descriptor
    into: Path
    stop: threading.Event
    memory: Memory

    def get(self, sources: Sequence[Repository], session: Session, tell: OnProgress) -> None:
        """Get the layer into the store."""
        from sandbox.registry.download import downloaded

        digest = parse_digest(self.blob.digest)
        name = short_id(digest)
        if has_layer(self.layout, self.diff_id):
            tell(name, "Already exists")
            return

        def progress(name: str, status: str, done: int = 0, total: int = 0) -> None:
            if self.stop.is_set():
                raise Stopped("given up")
            tell(name, status, done, total)

        progress(name, "Pulling fs layer")
        with (
            self._explaining_foreign(),
            downloaded(
                self.layout, self.blob, sources, transport=session.transport, progress=progress
            ) as path,
        ):
            progress(name, "Extracting")
            self._unpack(path)
            is_new = path != self.layout.blob(digest)
            ImageStore(self.layout).adopt(
                {self.diff_id: self.into}, {digest: path} if is_new else {}
            )
        progress(name, "Pull complete")

    @contextmanager
    def _explaining_foreign(self) -> Iterator[None]:
        """Explain a missing foreign layer: like Docker on Linux, pull does not fetch it."""
        try:
            yield
        except NotFound as exc:
            if not self.blob.urls:
                raise
            raise Unsupported(
                f"layer {self.blob.digest} is not in the registry but at {self.blob.urls[0]!r}:"
                " foreign layers are not fetched"
            ) from exc

    def _unpack(self, path: Path) -> None:
        while (unpacked := self._try_to_unpack(path)) is None:
            remove_tree(self.into)
        if unpacked.diff_id != self.diff_id:
            raise DigestMismatch(
                f"layer {self.blob.digest}: content is {unpacked.diff_id}, the image's"
                f" configuration promises {self.diff_id}"
            )

    def _try_to_unpack(self, path: Path) -> UnpackedLayer | None:
        """Unpack the layer; None if an older layer needed the memory, and it must start again."""
        from sandbox.layers.memory_budget import GiveWay
        from sandbox.layers.unpack import unpack_layer

        with map_os_errors(f"cannot read {path}"):
            self.into.mkdir()
            file = path.open("rb")
        try:
            with file, self.memory.share() as share:
                return unpack_layer(file, self.into, share=share)
        except GiveWay:
            return None
