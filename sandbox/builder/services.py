# SPDX-License-Identifier: MIT
"""The services that a build needs from its caller: images by name, and saving an image."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.models.image import Image


class Services(Protocol):
    """The engine, as a build sees it."""

    def base_image(self, name: str, *, platform: str, pull: bool) -> Image:
        """Return an image, pulled if it is missing, or always with *pull*."""

    def stored_image(self, name: str, *, platform: str) -> Image | None:
        """Return an image if the store has it for this platform."""

    def load_layout(self, path: str) -> Image:
        """Return the image of an OCI layout on disk, ``PATH[:TAG]``."""

    def guest_program(self) -> str:
        """Return the path of the guest runtime."""

    def save(self, names: Sequence[str], write: Callable[[bytes], object], *, kind: str) -> None:
        """Write an image as an archive."""
