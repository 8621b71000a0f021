# SPDX-License-Identifier: MIT
"""``import``: make an image of one layer from the tar of a root file system."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.engine.images.image_events import tell_added
from sandbox.engine.images.indexing import make_indexes
from sandbox.engine.images.input import naming, open_input
from sandbox.errors import UsageError
from sandbox.models import oci
from sandbox.models.digest import parse_digest
from sandbox.models.reference import Reference, parse_reference
from sandbox.store.images import ImageStore, NewImage

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sandbox.models.architecture import Platform
    from sandbox.models.digest import Digest
    from sandbox.store.layout import Layout


def import_(
    layout: Layout,
    path: str,
    *,
    reference: str | None,
    changes: Sequence[str],
    message: str | None,
    platform: str | None,
) -> Digest:
    """Make an image of one layer from the tar of a root file system."""
    from sandbox.engine.images.changes import applied
    from sandbox.layers.unpack import unpack_layer
    from sandbox.models.architecture import own_platform, parse_platform
    from sandbox.store.atomic_files import workspace

    names = () if reference is None else (_new_name(reference),)
    config = applied(oci.RunConfig(), changes)
    place = own_platform() if platform is None else parse_platform(platform)
    comment = message or f"Imported from {path}"
    with open_input(path) as file, workspace(layout) as scratch:
        into = scratch / "layer"
        into.mkdir()
        with naming(path):
            layer = unpack_layer(file, into, keep=scratch / "blob", ahead=file.seekable())
        assert layer.blob is not None
        document = _imported(config, layer.diff_id, place, comment)
        image = NewImage(oci.encode(document), names, blobs=(layer.blob,))
        blobs = {parse_digest(layer.blob.digest): scratch / "blob"}
        image_id = ImageStore(layout).add([image], {layer.diff_id: layer.path}, blobs)[0]
    make_indexes(layout, [image_id])
    tell_added(layout, "import", image_id, names)
    return image_id


def _imported(
    config: oci.RunConfig, diff_id: Digest, place: Platform, comment: str
) -> oci.ImageConfig:
    now = oci.timestamp()
    return oci.ImageConfig(
        architecture=place.architecture,
        os=place.os,
        variant=place.variant,
        created=now,
        config=config,
        rootfs=oci.RootFS("layers", [diff_id]),
        history=[oci.History(created=now, comment=comment)],
    )


def _new_name(text: str) -> Reference:
    reference = parse_reference(text)
    if reference.digest is not None:
        raise UsageError("cannot import digest reference")
    return reference.with_default_tag()
