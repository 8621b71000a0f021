# SPDX-License-Identifier: MIT
"""The images and named contexts that stages use as base or copy from.

Rules: an image is looked up once for each platform, and pinned while the build uses it.
"""

from __future__ import annotations

import os
import threading
from typing import TYPE_CHECKING

from sandbox.builder import build_context
from sandbox.builder.file_views import HostView, TreeView
from sandbox.dockerfile.plan import ContextSource, ImageSource, Scratch, StageSource
from sandbox.dockerfile.remote_sources import is_git_context
from sandbox.errors import UsageError
from sandbox.models.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from contextlib import ExitStack

    from sandbox.builder.file_views import View
    from sandbox.builder.progress import Reporter
    from sandbox.builder.request import BuildRequest
    from sandbox.builder.services import Services
    from sandbox.builder.stage_state import State
    from sandbox.builder.workspace import Workspace
    from sandbox.dockerfile.plan import PlannedStage, Source
    from sandbox.models.image import Image

_IMAGE = "docker-image://"
_LAYOUT = "oci-layout://"


class Sources:
    """The images and named contexts of one build for *platform*."""

    def __init__(
        self,
        request: BuildRequest,
        shop: Workspace,
        services: Services,
        reporter: Reporter,
        platform: str,
    ) -> None:
        """Prepare the look-ups."""
        self._request = request
        self._shop = shop
        self._services = services
        self._teller = reporter
        self._platform = platform
        self._images: dict[tuple[str, str], Image] = {}
        self._bases: dict[int, Image] = {}
        self._lock = threading.Lock()

    def base_image(self, planned: PlannedStage) -> Image | None:
        """Return a stage's base image, or None if its base is no image."""
        if planned.index not in self._bases:
            image = self._image_of(planned.base, planned)
            if image is None:
                return None
            self._bases[planned.index] = image
        return self._bases[planned.index]

    def view_of(
        self, source: Source, planned: PlannedStage, done: Mapping[int, State], stack: ExitStack
    ) -> View:
        """Return the files of a finished stage (in *done*), an image or a named context."""
        if isinstance(source, StageSource):
            state = done[source.index]
            tree = self._shop.tree(state.layers, box=state.box, is_host=state.is_host)
            return TreeView(stack.enter_context(tree))
        if isinstance(source, Scratch):
            return TreeView(stack.enter_context(self._shop.tree(())))
        image = self._image_of(source, planned)
        if image is not None:
            tree = self._shop.tree(image.layers, is_host=image.is_host)
            return TreeView(stack.enter_context(tree))
        assert isinstance(source, ContextSource)
        return HostView(self._folder(self._request.contexts[source.name]))

    def _image_of(self, source: Source, planned: PlannedStage) -> Image | None:
        platform = planned.platform or self._platform
        if isinstance(source, ImageSource):
            return self._image(source.reference, platform)
        if isinstance(source, ContextSource):
            address = self._request.contexts[source.name]
            if address.startswith(_IMAGE):
                return self._image(address.removeprefix(_IMAGE), platform)
            if address.startswith(_LAYOUT):
                return self._layout(address)
        return None

    def _image(self, name: str, platform: str) -> Image:
        with self._lock:
            known = self._images.get((name, platform))
        if known is not None:
            return known
        with self._teller.doing(f"[internal] load metadata for {name}"):
            image = self._services.base_image(name, platform=platform, pull=self._request.pull)
        self._kept(image)
        with self._lock:
            self._images[name, platform] = image
        return image

    def _layout(self, address: str) -> Image:
        with self._lock:
            if (address, "") not in self._images:
                path = address.removeprefix(_LAYOUT)
                self._images[address, ""] = self._kept(self._services.load_layout(path))
            return self._images[address, ""]

    def _kept(self, image: Image) -> Image:
        if not image.is_host:
            self._shop.keep([*image.layers, *(Digest(blob.digest) for blob in image.blobs)])
            self._shop.bring_home(image)
        return image

    def _folder(self, address: str) -> str:
        if is_git_context(address):
            return os.fspath(build_context.clone(address, self._shop.folder("git")))
        path = os.path.abspath(address)
        if not os.path.isdir(path):
            raise UsageError(f"failed to get build context path {address!r}: not a directory")
        return path
