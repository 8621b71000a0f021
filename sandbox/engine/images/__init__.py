# SPDX-License-Identifier: MIT
"""What moves images in and out: one method a verb, none of it loaded before it is used.

Does not know: how anything is transferred (see `registries` and `saving`).
"""

from __future__ import annotations

import os
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sandbox.errors import ImageNotFound
from sandbox.models.reference import image_reference, parse_reference
from sandbox.store import events
from sandbox.store.images import ImageStore

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.engine.pushing import Pushed
    from sandbox.engine.registries import Pulled, Registries
    from sandbox.models.digest import Digest
    from sandbox.registry.client import RawManifest
    from sandbox.registry.credentials import Credentials
    from sandbox.registry.download import OnProgress
    from sandbox.store.layout import Layout


def silent(name: str, status: str, done: int = 0, total: int = 0) -> None:
    """Take no note of progress."""


def is_offline() -> bool:
    """Return whether the user forbids all connections."""
    return os.environ.get("SANDBOX_OFFLINE", "") not in ("", "0")


def can_pull(name: str) -> bool:
    """Return whether *name* is one that a registry could know."""
    reference = image_reference(name)
    return reference is not None and not reference.is_host


class TransferVerbs:
    """The part of `Engine` that gets images and gives them away."""

    layout: Layout

    @property
    def _registries(self) -> Registries:
        from sandbox.engine.registries import Registries

        return Registries(self.layout)

    def _registries_as(self, name: str, credentials: Credentials | None) -> Registries:
        """Return the registries as somebody else meets them: for the one that *name* says."""
        from sandbox.engine.registries import Registries

        if credentials is None:
            return self._registries
        return Registries(self.layout, (parse_reference(name).domain, credentials))

    def check_login(self, domain: str | None, username: str, password: str) -> None:
        """Try a name and password; nothing is kept."""
        self._registries.check_login(domain, username, password)

    def distribution(self, name: str, *, credentials: Credentials | None = None) -> dict[str, Any]:
        """Return what a registry says of an image, in Docker's form."""
        from sandbox.engine.distribution import distribution

        return distribution(self._registries_as(name, credentials), name)

    def pull_image(
        self,
        name: str,
        *,
        platform: str | None = None,
        all_tags: bool = False,
        offline: bool = False,
        pinned: Digest | None = None,
        progress: OnProgress = silent,
        credentials: Credentials | None = None,
    ) -> list[Pulled]:
        """Get an image, or every tag of a repository, from its registry."""
        found = self._registries_as(name, credentials).pull(
            name,
            platform=platform,
            all_tags=all_tags,
            offline=offline,
            pinned=pinned,
            progress=progress,
        )
        for item in found if not (offline or is_offline()) else ():
            events.tell_transfer(self.layout, "pull", item.reference)
        return found

    def push_image(
        self,
        name: str,
        *,
        all_tags: bool = False,
        progress: OnProgress = silent,
        credentials: Credentials | None = None,
    ) -> list[Pushed]:
        """Send an image to the registry that its name says."""
        sent = self._registries_as(name, credentials).push(
            name, all_tags=all_tags, progress=progress
        )
        for item in sent:
            events.tell_transfer(self.layout, "push", item.reference)
        return sent

    def login(self, domain: str | None, username: str, password: str) -> str:
        """Try a name and password, and keep them; returns where."""
        return self._registries.login(domain, username, password)

    def logout(self, domain: str | None) -> bool:
        """Forget the credentials for a registry; False if there were none."""
        return self._registries.logout(domain)

    def search(self, term: str, *, limit: int = 25) -> list[dict[str, Any]]:
        """Return the repositories that a registry finds for a term."""
        return self._registries.search(term, limit=limit)

    def manifest(self, name: str) -> RawManifest:
        """Return the manifest or index that a reference means in its registry."""
        return self._registries.manifest(name)

    def save_images(
        self,
        names: Sequence[str],
        write: Callable[[bytes], object],
        *,
        kind: str = "docker-archive",
        since: str | None = None,
    ) -> None:
        """Write images as one archive."""
        from sandbox.engine import saving

        saving.save_images(self.layout, names, write, kind=kind, since=since)
        self._tell_saved(names)

    def save_directory(self, names: Sequence[str], path: str, *, since: str | None = None) -> None:
        """Write images as an OCI layout into the new directory *path*."""
        from sandbox.engine import saving

        saving.save_directory(self.layout, names, path, since=since)
        self._tell_saved(names)

    def _tell_saved(self, names: Sequence[str]) -> None:
        for name in names:
            with suppress(ImageNotFound):  # it went while it was written
                events.tell_image(self.layout, "save", ImageStore(self.layout).find(name))
