# SPDX-License-Identifier: MIT
"""The record of a volume."""

from __future__ import annotations

from sandbox.models.record import Record, field


class Volume(Record, frozen=True):
    """A volume."""

    name: str
    path: str
    created: str
    anonymous: bool = False
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> str:
        """Return the directory of the volume's files."""
        return f"{self.path}/_data"

    @property
    def owners(self) -> str:
        """Return the file with attributes that host files cannot have."""
        return f"{self.path}/owners.jsonl"
