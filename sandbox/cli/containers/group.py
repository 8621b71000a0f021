# SPDX-License-Identifier: MIT
"""``container``: the group of all commands about containers, as in docker."""

from __future__ import annotations

import click

from sandbox.cli.common_flags import filter_option
from sandbox.cli.lazy_group import lazy_group

_COMMANDS = {
    "ls": ("containers.ps", "ps", "List containers"),
    "run": ("containers.run", "run", "Create and run a new container from an image"),
    "create": ("containers.run", "create", "Create a new container"),
    "start": ("containers.lifecycle", "start", "Start existing containers"),
    "stop": ("containers.lifecycle", "stop", "Stop running containers"),
    "restart": ("containers.lifecycle", "restart", "Stop and start containers"),
    "kill": ("containers.lifecycle", "kill", "Send a signal to containers"),
    "pause": ("containers.lifecycle", "pause", "Pause all processes of containers"),
    "unpause": ("containers.lifecycle", "unpause", "Let paused containers continue"),
    "wait": ("containers.wait", "wait", "Wait until containers end and print their exit codes"),
    "attach": ("containers.attach", "attach", "Attach to a running container's input and output"),
    "exec": ("containers.exec", "exec_", "Run a command in a running container"),
    "logs": ("containers.logs", "logs", "Show the output of a container"),
    "top": ("containers.top", "top", "Show the processes of a container"),
    "stats": ("containers.stats", "stats", "Show the resource use of containers"),
    "port": ("containers.port", "port", "Show the published ports of a container"),
    "inspect": ("inspect", "inspect_container", "Show details of containers"),
    "rename": ("containers.lifecycle", "rename", "Give a container another name"),
    "update": ("containers.update", "update", "Change a container's restart policy and limits"),
    "diff": ("containers.diff", "diff", "Show the files that a container changed"),
    "commit": ("containers.commit", "commit", "Make an image from a container's changes"),
    "cp": ("containers.cp", "cp", "Copy files between a container and the host"),
    "export": ("containers.export", "export", "Write a container's files as a tar archive"),
    "rm": ("containers.rm", "rm", "Remove containers"),
    "prune": ("containers.group", "prune", "Remove all stopped containers"),
}
_ALIASES = {"list": "ls", "ps": "ls", "remove": "rm"}


@click.command(cls=lazy_group(_COMMANDS, _ALIASES), subcommand_metavar="COMMAND")
def container() -> None:
    """Manage containers."""


@click.command(options_metavar="[OPTIONS]")
@click.option("-f", "--force", is_flag=True, help="Do not ask for confirmation.")
@filter_option("label, label!, until", short=False)
def prune(*, force: bool, filters: tuple[str, ...]) -> None:
    """Remove all stopped containers."""
    from sandbox.cli.confirm import agrees
    from sandbox.cli.output.format import emit, human_size
    from sandbox.engine import Engine

    if not agrees("WARNING! This will remove all stopped containers.", force=force):
        return
    pruned = Engine().containers.prune(filters)
    if pruned.containers:
        emit("Deleted Containers:\n" + "\n".join(pruned.containers) + "\n")
    emit(f"Total reclaimed space: {human_size(pruned.freed, 4)}")
