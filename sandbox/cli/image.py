"""``image``: everything about images under one word, as docker has it."""

from __future__ import annotations

import importlib

import click

_COMMANDS = {
    "ls": ("images", "images", "List images"),
    "inspect": ("inspect", "inspect_image", "Show all about images"),
    "history": ("images", "history", "Show the steps of an image"),
    "diff": ("looking", "image_diff", "Compare the files of two images"),
    "explore": ("looking", "explore", "Look at layers and what each adds"),
    "tree": ("looking", "tree", "Show which layers images share"),
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


class _ImageGroup(click.Group):
    """Imports a command when somebody asks for it."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all names, without importing anything."""
        return list(_COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command."""
        entry = _COMMANDS.get(_ALIASES.get(cmd_name, cmd_name))
        if entry is None:
            return None
        module, attribute, _ = entry
        command: click.Command = getattr(
            importlib.import_module(f"sandbox.cli.{module}"), attribute
        )
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the commands with their summaries."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, entry[2]) for name, entry in _COMMANDS.items()])


@click.command(cls=_ImageGroup, subcommand_metavar="COMMAND")
def image() -> None:
    """Manage images."""
