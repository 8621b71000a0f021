# SPDX-License-Identifier: MIT
"""``GET /distribution``: a registry's facts about an image that was not pulled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.engine.images.pull import read_config
from sandbox.engine.registries.session import tag_or_digest
from sandbox.models import oci
from sandbox.models.image import parse_config
from sandbox.registry.session import read_manifest

if TYPE_CHECKING:
    from sandbox.models.reference import Reference
    from sandbox.registry.session import Session
    from sandbox.store.layout import Layout


def distribution(layout: Layout, session: Session, reference: Reference) -> dict[str, Any]:
    """Return the descriptor and the platforms of an image, in Docker's form."""
    sources = session.sources(reference)
    top = read_manifest(sources, tag_or_digest(reference))
    if top.is_index:
        index = oci.decode(top.data, oci.Index, what=f"manifest {top.digest}")
        platforms = [one.platform for one in index.manifests or () if one.platform]
        found = [{"architecture": one.architecture, "os": one.os} for one in platforms]
    else:
        document = oci.decode(top.data, oci.Manifest, what=f"manifest {top.digest}")
        config, _ = parse_config(read_config(layout, sources, document.config))
        found = [{"architecture": config.architecture, "os": config.os}]
    descriptor = {"mediaType": top.media_type, "digest": top.digest, "size": len(top.data)}
    return {"Descriptor": descriptor, "Platforms": found}
