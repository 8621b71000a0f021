# SPDX-License-Identifier: MIT
"""A store in a test's own directory, filled without the command line."""

from __future__ import annotations

import hashlib
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sandbox.engine import Engine
from tests.harness import images

if TYPE_CHECKING:
    from sandbox.models.image import Image
    from sandbox.store.layout import Layout


class Store(Engine):
    """The engine over a store in a temporary directory."""

    def __init__(self, layout: Layout) -> None:
        super().__init__(layout)
        self.outside = layout.root.parent

    def archive(self, data: bytes) -> str:
        """Write *data* next to the store and return its path."""
        path = self.outside / f"archive-{secrets.token_hex(4)}"
        path.write_bytes(data)
        return str(path)

    def load(
        self,
        layers: list[list[images.Member]],
        config: dict[str, Any] | None = None,
        *,
        tags: list[str] | None = None,
    ) -> Image:
        """Load an image made of *layers* and return it."""
        path = self.archive(images.docker_archive(layers, config, tags=tags))
        [loaded] = self.images.load(path)
        return self.images.get(loaded.id)

    def snapshot(self) -> dict[str, str]:
        """Return a digest of every file of the store, work in progress included."""
        found = {}
        for folder, names, files in os.walk(self.layout.root):
            for name in files:
                path = Path(folder, name)
                found[str(path)] = hashlib.sha256(path.read_bytes()).hexdigest()
            found.update((str(Path(folder, name)), "directory") for name in names)
        found.pop(str(self.layout.lock), None)
        return found
