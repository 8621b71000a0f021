# SPDX-License-Identifier: MIT
"""``container``: everything about containers under one word, as docker has it."""

from __future__ import annotations

import click

from sandbox.cli.flags import filter_option
from sandbox.cli.lazy import lazy_group

_COMMANDS = {
    "ls": ("containers", "ps", "List containers"),
    "run": ("run", "run", "Create and run a new container from an image"),
    "create": ("run", "create", "Create a new container"),
    "start": ("running", "start", "Start containers that exist"),
    "stop": ("running", "stop", "Stop running containers"),
    "restart": ("running", "restart", "Stop containers and start them"),
    "kill": ("running", "kill", "Send a signal to containers"),
    "pause": ("running", "pause", "Stop all processes of containers for a while"),
    "unpause": ("running", "unpause", "Let paused containers go on"),
    "wait": ("running", "wait", "Wait until containers end, print their exit codes"),
    "attach": ("running", "attach", "Join a container's input and output"),
    "exec": ("exec", "exec_", "Run a command in a running container"),
    "logs": ("logs", "logs", "Show what a container said"),
    "top": ("exec", "top", "Show the processes of a container"),
    "stats": ("stats", "stats", "Show what containers use"),
    "port": ("stats", "port", "Show the ports of a container"),
    "inspect": ("inspect", "inspect_container", "Show all about containers"),
    "rename": ("running", "rename", "Give a container another name"),
    "update": ("running", "update", "Change a container's restart policy and limits"),
    "diff": ("containers", "diff", "Show what a container changed"),
    "commit": ("commit", "commit", "Make an image of what a container changed"),
    "cp": ("archive", "cp", "Copy files between a container and the host"),
    "export": ("archive", "export", "Write a container's files as a tar"),
    "rm": ("containers", "rm", "Remove containers"),
    "prune": ("container", "prune", "Remove containers that do not run"),
}
_ALIASES = {"list": "ls", "ps": "ls", "remove": "rm"}


@click.command(cls=lazy_group(_COMMANDS, _ALIASES), subcommand_metavar="COMMAND")
def container() -> None:
    """Manage containers."""


@click.command(options_metavar="[OPTIONS]")
@click.option("-f", "--force", is_flag=True, help="Do not ask.")
@filter_option("label, label!, until", short=False)
def prune(*, force: bool, filters: tuple[str, ...]) -> None:
    """Remove containers that do not run."""
    from sandbox.cli.asking import agrees
    from sandbox.cli.format import emit, human_size
    from sandbox.engine import Engine

    if not agrees("WARNING! This will remove all stopped containers.", force=force):
        return
    removed, freed = Engine().prune_containers(filters)
    if removed:
        emit("Deleted Containers:\n" + "\n".join(removed) + "\n")
    emit(f"Total reclaimed space: {human_size(freed, 4)}")
