# SPDX-License-Identifier: MIT
"""The layer of a step: found by its key in the store or in a remote cache, or made.

Rules: a key makes one layer, however many stages want it at the same time.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

from sandbox.layers.layer_writer import LayerWriter
from sandbox.models.digest import Digest, chain_ids
from sandbox.store import build_cache

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandbox.builder.progress import Reporter, Vertex
    from sandbox.builder.workspace import Workspace
    from sandbox.layers.unpack import UnpackedLayer

    Remote = Callable[[str], build_cache.Step | None]

_UNSURE = "unsure"


class StepLayers:
    """The steps of one build; *moment* returns the time of new steps."""

    def __init__(
        self, shop: Workspace, moment: Callable[[], str], reporter: Reporter | None = None
    ) -> None:
        """Start without steps; *reporter* receives each step that is executed."""
        self._teller = reporter
        self.used: dict[str, build_cache.Step] = {}
        """The steps of this build by key: what a cache elsewhere is told."""
        self.remote: Remote = lambda _: None
        """Finds a step by its key in caches elsewhere."""
        self._shop = shop
        self._moment = moment
        self._locks: dict[str, threading.Lock] = {}
        self._lock = threading.Lock()

    def layer(
        self,
        key: str,
        vertex: Vertex,
        make: Callable[[Path], UnpackedLayer],
        *,
        fresh: bool,
        layers: tuple[Digest, ...],
    ) -> tuple[Digest, str]:
        """Return the layer of a step and its time, from the cache or made now."""
        with self._one_at_a_time(key):
            step = None if fresh and key not in self.used else self._remembered(key)
            if step is not None:
                vertex.cached = True
                self.used[key] = step
                return Digest(step.layer), step.created
            if self._teller is not None:
                self._teller.say(vertex, b"")
            made = make(self._shop.folder("layer"))
            step = build_cache.Step(
                layer=made.diff_id,
                created=self._moment(),
                description=vertex.name,
                size=made.info.size,
                chain=chain_ids([*layers, made.diff_id])[-1],
                boot=build_cache.boot_id(),
            )
            is_sure = not (made.path / _UNSURE).exists()
            self._shop.add(key if is_sure else "", made, step)
            if is_sure:
                self.used[key] = step
            return made.diff_id, step.created

    def _remembered(self, key: str) -> build_cache.Step | None:
        step = build_cache.read_step(self._shop.layout, key)
        if step is not None:
            self._shop.keep([Digest(step.layer)])
            if self._shop.layout.layer(Digest(step.layer)).is_dir():
                if step.boot:  # of a build that was killed or still runs
                    self._shop.note(key, Digest(step.layer))
                return step
        return self.remote(key)

    def _one_at_a_time(self, key: str) -> threading.Lock:
        with self._lock:
            return self._locks.setdefault(key, threading.Lock())


def nothing(into: Path) -> UnpackedLayer:
    """Return the empty layer of a step on the machine itself, which is not cached."""
    with LayerWriter(into) as maker:
        layer = maker.finish()
    (into / _UNSURE).touch()
    return layer
