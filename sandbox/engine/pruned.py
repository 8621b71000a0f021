# SPDX-License-Identifier: MIT
"""The result of every prune."""

from __future__ import annotations

from sandbox.models.record import Record, field


class Pruned(Record):
    """The names or ids of removed objects, and the bytes freed on disk."""

    containers: list[str] = field(default_factory=list)
    networks: list[str] = field(default_factory=list)
    volumes: list[str] = field(default_factory=list)
    untagged: list[str] = field(default_factory=list)
    """Names of images."""
    deleted: list[str] = field(default_factory=list)
    """Ids of images, and of layers and blobs that nothing used."""
    builds: list[str] = field(default_factory=list)
    freed: int = 0

    def add(self, other: Pruned) -> None:
        """Add the result of another prune."""
        self.containers += other.containers
        self.networks += other.networks
        self.volumes += other.volumes
        self.untagged += other.untagged
        self.deleted += other.deleted
        self.builds += other.builds
        self.freed += other.freed
