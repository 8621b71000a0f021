# SPDX-License-Identifier: MIT
"""Finds containers by name without reading all of their records.

::

    names/<name> -> ../containers/<64 hex>

Rules: a link is a hint. The record says what a container is called, so the caller compares the
names. A link may lack (a crash, an older program, a name too long for a file) or lead to a
container that is gone; `all` sees both, and reads only the records that have no link.

Does not know: what a record looks like.
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandbox.store.layout import Layout


class NameLinks:
    """The links of one store."""

    def __init__(self, layout: Layout) -> None:
        """Remember the *layout*; read nothing."""
        self._folder = os.fspath(layout.names)
        self._target = f"../{layout.containers.name}/"

    def find(self, name: str) -> str | None:
        """Return the id that the link of *name* leads to."""
        if not name or "/" in name or "\0" in name:
            return None
        try:
            return os.path.basename(os.readlink(f"{self._folder}/{name}"))
        except OSError:
            return None

    def all(
        self, ids: Iterable[str], name_of: Callable[[str], str | None], *, heal: bool = False
    ) -> dict[str, str]:
        """Return the names of the containers *ids*, with the ids.

        *name_of* reads the name of a container without a link. With *heal*, for which the caller
        holds the store's lock, links are added and dropped as needed.
        """
        missing = set(ids)
        found: dict[str, str] = {}
        for name in self._listed():
            identity = self.find(name)
            if identity in missing:
                missing.remove(identity)
                found[name] = identity
            elif heal and identity is not None:
                self._unlink(name)
        for identity in missing:
            name_or_none = name_of(identity)
            if name_or_none is not None:
                found[name_or_none] = identity
                if heal:
                    self.add(name_or_none, identity)
        return found

    def add(self, name: str, identity: str) -> None:
        """Make the link of a container. The caller holds the store's lock."""
        with suppress(OSError):
            os.makedirs(self._folder, 0o700, exist_ok=True)
            self._unlink(name)
            os.symlink(self._target + identity, f"{self._folder}/{name}")

    def drop(self, name: str, identity: str) -> None:
        """Remove the link of a container, if it is this one's."""
        if self.find(name) == identity:
            self._unlink(name)

    def _unlink(self, name: str) -> None:
        with suppress(OSError):
            os.unlink(f"{self._folder}/{name}")

    def _listed(self) -> list[str]:
        try:
            return os.listdir(self._folder)
        except OSError:
            return []
