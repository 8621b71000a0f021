# SPDX-License-Identifier: MIT
"""``image``: the group of all commands about images, as in docker."""

from __future__ import annotations

import click

from sandbox.cli.lazy_group import lazy_group

_COMMANDS = {
    "ls": ("images.images", "images", "List images"),
    "inspect": ("inspect", "inspect_image", "Show details of images"),
    "history": ("images.history", "history", "Show the steps of an image"),
    "diff": ("images.image_diff", "image_diff", "Compare the files of two images"),
    "explore": ("images.image_explore", "explore", "Explore the layers of an image"),
    "tree": ("images.image_tree", "tree", "Show the layers that images share"),
    "build": ("images.build", "build", "Build an image from a Dockerfile"),
    "pull": ("images.pull", "pull", "Pull an image from a registry"),
    "push": ("images.push", "push", "Push an image to a registry"),
    "load": ("images.load", "load", "Load images from an archive"),
    "save": ("images.save", "save", "Save images to an archive"),
    "import": ("images.import_image", "import_", "Import a tar of a root file system as an image"),
    "tag": ("images.tag", "tag", "Give an image another name"),
    "rm": ("images.rmi", "rmi", "Remove images"),
    "prune": ("system.prune", "image_prune", "Remove unused images"),
}
_ALIASES = {"list": "ls", "remove": "rm"}


@click.command(cls=lazy_group(_COMMANDS, _ALIASES), subcommand_metavar="COMMAND")
def image() -> None:
    """Manage images."""
