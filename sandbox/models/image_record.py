# SPDX-License-Identifier: MIT
"""What a store remembers of an image beside its documents.

Rules: annotations are objects (see oci).
"""

import msgspec

from sandbox.models import oci


class ImageRecord(msgspec.Struct, frozen=True):
    """The content of images/<id>.json. Lists of layers begin with the lowest."""

    id: str
    layer_sizes: list[int]  # bytes of all files of each layer
    blobs: list[oci.Descriptor] = []  # as pulled or loaded; empty in old records
    manifest: str | None = None
    lower_blobs: list[oci.Descriptor] = []  # of the lowest layers, if the upper have none
    parent: str = ""  # the image of the container that was committed
    annotations: dict[str, str] = {}  # for a manifest that is not written yet
