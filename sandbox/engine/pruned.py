# SPDX-License-Identifier: MIT
"""What a prune removed: one type for all of them."""

from __future__ import annotations

from sandbox.models.record import Record, field


class Pruned(Record):
    """The names or ids of what was removed, and the bytes on disk that were freed."""

    containers: list[str] = field(default_factory=list)
    networks: list[str] = field(default_factory=list)
    volumes: list[str] = field(default_factory=list)
    untagged: list[str] = field(default_factory=list)
    """Names of images."""
    deleted: list[str] = field(default_factory=list)
    """Ids of images and of layers that nothing uses."""
    builds: list[str] = field(default_factory=list)
    freed: int = 0

    def add(self, other: Pruned) -> None:
        """Add what another prune removed."""
        self.containers += other.containers
        self.networks += other.networks
        self.volumes += other.volumes
        self.untagged += other.untagged
        self.deleted += other.deleted
        self.builds += other.builds
        self.freed += other.freed
