# SPDX-License-Identifier: MIT
"""``save``."""

from __future__ import annotations

import sys

import click

from sandbox.cli.completion import complete_images
from sandbox.cli.output.whole_file import whole_file
from sandbox.engine import Engine
from sandbox.errors import UsageError


@click.command()
@click.option("-o", "--output", metavar="FILE", help="Write here instead of standard output.")
@click.option(
    "--format",
    "kind",
    type=click.Choice(["docker-archive", "oci-archive", "oci-dir"]),
    default="docker-archive",
    metavar="docker-archive|oci-archive|oci-dir",
    help="Archive format (docker-archive); oci-dir needs -o.",
)
@click.option("--since", metavar="IMAGE", help="Omit the layers that IMAGE has, too.")
@click.argument(
    "names", nargs=-1, required=True, metavar="IMAGE...", shell_complete=complete_images
)
def save(*, output: str | None, kind: str, since: str | None, names: tuple[str, ...]) -> None:
    """Write images to an archive that 'load', docker, podman and skopeo read."""
    engine = Engine()
    if kind == "oci-dir":
        if output is None:
            raise UsageError("--format oci-dir needs -o DIRECTORY")
        engine.images.save_directory(names, output, since=since)
        return
    if output is None and sys.stdout.isatty():
        raise UsageError("refusing to write to a terminal: use the -o flag or redirect")
    with whole_file(output) as write:
        engine.images.save(names, write, kind=kind, since=since)
