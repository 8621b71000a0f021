# SPDX-License-Identifier: MIT
"""`engine.system`: the store as a whole, its events, and the machine."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from sandbox.engine.pruned import Pruned
from sandbox.models.image_filters import parse_filters
from sandbox.store import events

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from sandbox.engine.builds import Builds
    from sandbox.engine.containers import Containers
    from sandbox.engine.images import Images
    from sandbox.engine.networks import Networks
    from sandbox.engine.system.df import Usage
    from sandbox.engine.system.doctor import Fact
    from sandbox.engine.volumes import Volumes
    from sandbox.errors import SandboxError
    from sandbox.store.fsck import Finding
    from sandbox.store.layout import Layout


class System:
    """What concerns the whole store, or the machine."""

    def __init__(
        self,
        layout: Layout,
        *,
        containers: Containers,
        images: Images,
        networks: Networks,
        volumes: Volumes,
        builds: Builds,
    ) -> None:
        """Use *layout* and the parts of its engine."""
        self._layout = layout
        self._containers = containers
        self._images = images
        self._networks = networks
        self._volumes = volumes
        self._builds = builds

    def version(self) -> str:
        """Return the version of this package, as in ``0.2.0``."""
        from sandbox.version import VERSION

        return VERSION

    def info(self) -> dict[str, Any]:
        """Return the JSON of ``docker info``."""
        from sandbox.engine.system.info import info

        return info(self._layout, self._containers.list(), self._images.list())

    def df(self) -> Usage:
        """Return the disk usage of the store, in bytes on disk."""
        from sandbox.engine.system.df import measure

        return measure(self._layout, self._containers.list())

    def events(self, *, since: float, until: float | None = None) -> Iterator[dict[str, Any]]:
        """Yield Docker's events from *since* to *until*, in seconds since 1970.

        Without *until*, the iterator waits for new events and does not end.
        """
        return events.read(self._layout, since=since, until=until)

    def prune(
        self, *, everything: bool = False, volumes: bool = False, filters: Sequence[str] = ()
    ) -> Pruned:
        """Remove unused containers, images, networks and build cache.

        With *everything*, remove also images with a name and all build cache; with *volumes*, also
        anonymous volumes. *filters* are those of ``system prune --filter``. Build cache has no
        labels, so a filter by label keeps it.
        """
        from sandbox.engine.networks.filters import parse_prune
        from sandbox.store.garbage_collection import sweep

        of_networks = [item for item in filters if item.startswith(("label=", "label!=", "until="))]
        parse_prune(of_networks)  # filters are checked before anything is removed
        parse_filters(filters)
        pruned = self._containers.prune(filters)
        pruned.add(self._images.prune(everything=everything, filters=filters))
        swept = sweep(self._layout)
        pruned.add(Pruned(deleted=list(swept.names), freed=swept.freed))
        pruned.add(self._networks.prune(of_networks))
        if volumes:
            pruned.add(self._volumes.prune(filters=filters))
        if all(item.startswith("until=") for item in filters):
            pruned.add(self._builds.prune(everything=everything, filters=filters))
        return pruned

    def fsck(self, *, repair: bool = False) -> list[Finding]:
        """Check the store and return the findings; with *repair*, also repair it."""
        from sandbox.store.fsck import check

        return check(self._layout, repair=repair)

    def doctor(self) -> list[Fact]:
        """Test what this machine offers to containers."""
        from sandbox.engine.system.doctor import examine

        return examine(self._layout, os.environ)

    def start(self) -> tuple[list[str], list[SandboxError]]:
        """Start the containers whose restart policy says so, after the machine has started.

        Returns the names of the started containers, and the errors of the others.
        """
        from sandbox.engine.system.service import start_all

        return start_all(self._containers)
