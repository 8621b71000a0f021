# SPDX-License-Identifier: MIT
"""A volume as the rest of the program sees it."""

from __future__ import annotations

from sandbox.models.record import Record, field


class Volume(Record, frozen=True):
    """A volume's record."""

    name: str
    path: str
    created: str
    anonymous: bool = False
    labels: dict[str, str] = field(default_factory=dict)

    @property
    def data(self) -> str:
        """Return the directory that holds the files."""
        return f"{self.path}/_data"

    @property
    def owners(self) -> str:
        """Return the file of what host files cannot hold."""
        return f"{self.path}/owners.jsonl"
