# SPDX-License-Identifier: MIT
"""``image``: everything about images under one word, as docker has it."""

from __future__ import annotations

import click

from sandbox.cli.lazy import lazy_group

_COMMANDS = {
    "ls": ("images", "images", "List images"),
    "inspect": ("inspect", "inspect_image", "Show all about images"),
    "history": ("images", "history", "Show the steps of an image"),
    "diff": ("looking", "image_diff", "Compare the files of two images"),
    "explore": ("looking", "explore", "Look at layers and what each adds"),
    "tree": ("looking", "tree", "Show which layers images share"),
    "build": ("building", "build", "Build an image of a Dockerfile"),
    "pull": ("registries", "pull", "Get an image from a registry"),
    "push": ("registries", "push", "Send an image to a registry"),
    "load": ("images", "load", "Load images from an archive"),
    "save": ("images", "save", "Save images to an archive"),
    "import": ("images", "import_", "Make an image from a tar of files"),
    "tag": ("images", "tag", "Give an image another name"),
    "rm": ("images", "rmi", "Remove images"),
    "prune": ("housekeeping", "image_prune", "Remove unused images"),
}
_ALIASES = {"list": "ls", "remove": "rm"}


@click.command(cls=lazy_group(_COMMANDS, _ALIASES), subcommand_metavar="COMMAND")
def image() -> None:
    """Manage images."""
