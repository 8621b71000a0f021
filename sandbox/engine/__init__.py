# SPDX-License-Identifier: MIT
"""The engine: all that can be done with one store, part by part.

The command line and the API server are two skins over it: they parse and show, and hold no
logic. It is also the Python API (docs/python.md).

Rules: a part is imported when it is wanted, so that `run` starts fast. A part is given the
other parts that it uses; there is no other way from part to part.
"""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from sandbox.store.layout import Layout

if TYPE_CHECKING:
    from sandbox.engine.builds import Builds
    from sandbox.engine.containers import Containers
    from sandbox.engine.images import Images
    from sandbox.engine.manifests import Manifests
    from sandbox.engine.networks import Networks
    from sandbox.engine.registries import Registries
    from sandbox.engine.streams import Streams
    from sandbox.engine.system import System
    from sandbox.engine.volumes import Volumes


class Engine:
    """Everything that can be done with one store."""

    def __init__(self, layout: Layout | None = None) -> None:
        """Use the store in *layout*, by default the user's own."""
        self.layout = layout or Layout.default()

    @cached_property
    def containers(self) -> Containers:
        """Containers: create, run, stop, remove and look into them."""
        from sandbox.engine.containers import Containers

        return Containers(self.layout)

    @cached_property
    def images(self) -> Images:
        """Images: pull, push, tag, save, load and compare them."""
        from sandbox.engine.images import Images

        return Images(self.layout)

    @cached_property
    def networks(self) -> Networks:
        """Networks: make them and put containers on them."""
        from sandbox.engine.networks import Networks

        return Networks(self.layout)

    @cached_property
    def volumes(self) -> Volumes:
        """Volumes: make and remove them."""
        from sandbox.engine.volumes import Volumes

        return Volumes(self.layout)

    @cached_property
    def builds(self) -> Builds:
        """Builds: images of Dockerfiles, and what builds remember."""
        from sandbox.engine.builds import Builds

        return Builds(self.layout, self.images)

    @cached_property
    def manifests(self) -> Manifests:
        """Lists of manifests: one name for the images of several platforms."""
        from sandbox.engine.manifests import Manifests

        return Manifests(self.layout)

    @cached_property
    def registries(self) -> Registries:
        """Registries: log in, search, look at images that nobody has pulled."""
        from sandbox.engine.registries import Registries

        return Registries(self.layout)

    @cached_property
    def streams(self) -> Streams:
        """Connections and readers, for a server of many clients."""
        from sandbox.engine.streams import Streams

        return Streams(self.layout)

    @cached_property
    def system(self) -> System:
        """The store as a whole, its events, and the machine below it."""
        from sandbox.engine.system import System

        return System(
            self.layout,
            containers=self.containers,
            images=self.images,
            networks=self.networks,
            volumes=self.volumes,
            builds=self.builds,
        )
