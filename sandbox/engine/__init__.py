# SPDX-License-Identifier: MIT
"""The engine: what can be done with one store, in parts by subject.

The command line and the API server parse and show; the engine does the work. The engine is also
the public Python API (docs/python.md).

Rules: a part is imported on first use, so that `run` starts fast. A part gets the other parts
that it uses in its constructor, and calls only their public methods.
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
        """Builds: images from Dockerfiles, and the build cache."""
        from sandbox.engine.builds import Builds

        return Builds(self.layout, self.images)

    @cached_property
    def manifests(self) -> Manifests:
        """Manifest lists: one name for the images of several platforms."""
        from sandbox.engine.manifests import Manifests

        return Manifests(self.layout)

    @cached_property
    def registries(self) -> Registries:
        """Registries: log in, search, and look at images without pulling them."""
        from sandbox.engine.registries import Registries

        return Registries(self.layout)

    @cached_property
    def streams(self) -> Streams:
        """Connections and readers, for servers with many clients."""
        from sandbox.engine.streams import Streams

        return Streams(self.layout)

    @cached_property
    def system(self) -> System:
        """The store as a whole, its events, and the machine."""
        from sandbox.engine.system import System

        return System(
            self.layout,
            containers=self.containers,
            images=self.images,
            networks=self.networks,
            volumes=self.volumes,
            builds=self.builds,
        )
