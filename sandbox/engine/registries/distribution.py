# SPDX-License-Identifier: MIT
"""What a registry says of an image that nobody has pulled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.engine.registries import Puller, refuse_offline, tag_or_digest
from sandbox.engine.transfers import silent
from sandbox.models import oci
from sandbox.models.architecture import own_platform
from sandbox.models.image import parse_config
from sandbox.models.reference import parse_reference
from sandbox.registry.session import read_manifest

if TYPE_CHECKING:
    from sandbox.engine.registries import Registries


def distribution(registries: Registries, name: str) -> dict[str, Any]:
    """Return the descriptor and the platforms of an image, in Docker's form."""
    reference = parse_reference(name).with_default_tag()
    refuse_offline(name)
    session = registries.session()
    sources = session.sources(reference)
    top = read_manifest(sources, tag_or_digest(reference))
    if top.is_index:
        index = oci.decode(top.data, oci.Index, what=f"manifest {top.digest}")
        platforms = [one.platform for one in index.manifests or () if one.platform]
        found = [{"architecture": one.architecture, "os": one.os} for one in platforms]
    else:
        document = oci.decode(top.data, oci.Manifest, what=f"manifest {top.digest}")
        puller = Puller(registries.layout, session, own_platform(), silent)
        config, _ = parse_config(puller.config(sources, document.config))
        found = [{"architecture": config.architecture, "os": config.os}]
    descriptor = {"mediaType": top.media_type, "digest": top.digest, "size": len(top.data)}
    return {"Descriptor": descriptor, "Platforms": found}
