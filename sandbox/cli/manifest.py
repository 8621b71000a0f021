# SPDX-License-Identifier: MIT
"""``manifest``: show, make and push lists of manifests."""

from __future__ import annotations

import json

import click

from sandbox.cli.lazy_group import Verbs
from sandbox.cli.output.format import emit
from sandbox.engine import Engine
from sandbox.errors import NotFound


@click.command(cls=Verbs)
def manifest() -> None:
    """Make and show manifests, and lists of them."""


@manifest.command()
@click.option("-v", "--verbose", is_flag=True, help="Include the digest and the media type.")
@click.argument("name")
def inspect(*, verbose: bool, name: str) -> None:
    """Show a local manifest list, or the manifest of a name in a registry."""
    engine = Engine()
    try:
        found = engine.manifests.index(name)
    except NotFound:
        found = engine.registries.manifest(name)
    document = json.loads(found.data)
    if verbose:
        facts = {"mediaType": found.media_type, "digest": found.digest, "size": len(found.data)}
        document = {"Ref": name, "Descriptor": facts, "Manifest": document}
    emit(json.dumps(document, indent=3))


@manifest.command()
@click.option("-a", "--amend", is_flag=True, help="Add to an existing list.")
@click.argument("name", metavar="LIST")
@click.argument("images", nargs=-1, required=True, metavar="IMAGE...")
def create(*, amend: bool, name: str, images: tuple[str, ...]) -> None:
    """Create a local manifest list of images in a registry."""
    reference = Engine().manifests.create(name, images, amend=amend)
    emit(f"Created manifest list {reference}")


@manifest.command()
@click.option("--arch", metavar="NAME", help="Architecture of the image, as in amd64.")
@click.option("--os", metavar="NAME", help="Operating system of the image.")
@click.option("--variant", metavar="NAME", help="Variant of the architecture, as in v8.")
@click.argument("name", metavar="LIST")
@click.argument("image", metavar="IMAGE")
def annotate(
    *, arch: str | None, os: str | None, variant: str | None, name: str, image: str
) -> None:
    """Set the platform of an image in a local manifest list."""
    lists = Engine().manifests
    lists.annotate(name, image, architecture=arch, os=os, variant=variant)


@manifest.command()
@click.option("-p", "--purge", is_flag=True, help="Remove the local list afterwards.")
@click.argument("name", metavar="LIST")
def push(*, purge: bool, name: str) -> None:
    """Push a manifest list to the registry in its name."""
    emit(Engine().manifests.push(name, purge=purge))


@manifest.command()
@click.argument("names", nargs=-1, required=True, metavar="LIST...")
def rm(*, names: tuple[str, ...]) -> None:
    """Remove local manifest lists."""
    for name in names:
        Engine().manifests.remove(name)
