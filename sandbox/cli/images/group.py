# SPDX-License-Identifier: MIT
"""``image``: the group of all commands about images, as in docker."""

from __future__ import annotations

import click

from sandbox.cli.lazy_group import lazy_group

_COMMANDS = {
    "ls": ("images.images", "images", "List images"),
    "inspect": ("inspect", "inspect_image", "Show all about images"),
    "history": ("images.history", "history", "Show the steps of an image"),
    "diff": ("images.image_diff", "image_diff", "Compare the files of two images"),
    "explore": ("images.image_explore", "explore", "Look at layers and what each adds"),
    "tree": ("images.image_tree", "tree", "Show which layers images share"),
    "build": ("images.build", "build", "Build an image of a Dockerfile"),
    "pull": ("images.pull", "pull", "Get an image from a registry"),
    "push": ("images.push", "push", "Send an image to a registry"),
    "load": ("images.load", "load", "Load images from an archive"),
    "save": ("images.save", "save", "Save images to an archive"),
    "import": ("images.import_image", "import_", "Make an image from a tar of files"),
    "tag": ("images.tag", "tag", "Give an image another name"),
    "rm": ("images.rmi", "rmi", "Remove images"),
    "prune": ("system.prune", "image_prune", "Remove unused images"),
}
_ALIASES = {"list": "ls", "remove": "rm"}


@click.command(cls=lazy_group(_COMMANDS, _ALIASES), subcommand_metavar="COMMAND")
def image() -> None:
    """Manage images."""
