# SPDX-License-Identifier: MIT
"""All commands, as click parses them: find a subcommand and run it.

Rules: a subcommand's module is imported only when it is used.

Does not know: what any subcommand does.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

import click

from sandbox.cli.lazy_group import Verbs
from sandbox.models.record import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

_EXIT_INTERRUPTED = 130
_EXIT_FLAG = 125


class _Entry(Record, frozen=True):
    """A subcommand that has not been imported yet."""

    module: str
    attribute: str
    summary: str


_SECTIONS: dict[str, dict[str, _Entry]] = {
    "Containers": {
        "run": _Entry("containers.run", "run", "Create and run a new container from an image"),
        "create": _Entry("containers.run", "create", "Create a new container"),
        "start": _Entry("containers.lifecycle", "start", "Start existing containers"),
        "stop": _Entry("containers.lifecycle", "stop", "Stop running containers"),
        "restart": _Entry("containers.lifecycle", "restart", "Stop and start containers"),
        "kill": _Entry("containers.lifecycle", "kill", "Send a signal to containers"),
        "pause": _Entry("containers.lifecycle", "pause", "Pause all processes of containers"),
        "unpause": _Entry("containers.lifecycle", "unpause", "Let paused containers continue"),
        "wait": _Entry(
            "containers.wait", "wait", "Wait until containers end and print their exit codes"
        ),
        "attach": _Entry(
            "containers.attach", "attach", "Attach to a running container's input and output"
        ),
        "exec": _Entry("containers.exec", "exec_", "Run a command in a running container"),
        "top": _Entry("containers.top", "top", "Show the processes of a container"),
        "stats": _Entry("containers.stats", "stats", "Show the resource use of containers"),
        "port": _Entry("containers.port", "port", "Show the published ports of a container"),
        "logs": _Entry("containers.logs", "logs", "Show the output of a container"),
        "rename": _Entry("containers.lifecycle", "rename", "Give a container another name"),
        "update": _Entry(
            "containers.update", "update", "Change a container's restart policy and limits"
        ),
        "ps": _Entry("containers.ps", "ps", "List containers"),
        "rm": _Entry("containers.rm", "rm", "Remove containers"),
        "commit": _Entry("containers.commit", "commit", "Make an image from a container's changes"),
        "container": _Entry("containers.group", "container", "Manage containers"),
        "volume": _Entry("volume", "volume", "Manage volumes"),
        "network": _Entry("network", "network", "Manage networks"),
        "diff": _Entry("containers.diff", "diff", "Show the files that a container changed"),
        "cp": _Entry("containers.cp", "cp", "Copy files between a container and the host"),
        "export": _Entry(
            "containers.export", "export", "Write a container's files as a tar archive"
        ),
    },
    "Images": {
        "images": _Entry("images.images", "images", "List images"),
        "build": _Entry("images.build", "build", "Build an image from a Dockerfile"),
        "pull": _Entry("images.pull", "pull", "Pull an image from a registry"),
        "push": _Entry("images.push", "push", "Push an image to a registry"),
        "login": _Entry("images.login", "login", "Log in to a registry"),
        "logout": _Entry("images.login", "logout", "Log out from a registry"),
        "search": _Entry("images.search", "search", "Search a registry"),
        "import": _Entry(
            "images.import_image", "import_", "Import a tar of a root file system as an image"
        ),
        "load": _Entry("images.load", "load", "Load images from an archive"),
        "save": _Entry("images.save", "save", "Save images to an archive"),
        "tag": _Entry("images.tag", "tag", "Give an image another name"),
        "rmi": _Entry("images.rmi", "rmi", "Remove images"),
        "history": _Entry("images.history", "history", "Show the steps of an image"),
        "builder": _Entry("images.build", "builder", "Manage builds"),
        "image": _Entry("images.group", "image", "Manage images"),
        "manifest": _Entry("manifest", "manifest", "Create and show manifest lists"),
    },
    "Other": {
        "events": _Entry("system.events", "events", "Show events as they happen"),
        "inspect": _Entry(
            "inspect", "inspect", "Show details of containers, images, networks, volumes"
        ),
        "info": _Entry("system.system", "info", "Show the store and the machine"),
        "trace": _Entry("system.trace", "trace", "Run a command and show its system calls"),
        "doctor": _Entry("system.doctor", "doctor", "Check what this machine offers to containers"),
        "version": _Entry("system.system", "version", "Show the versions"),
        "system": _Entry("system.system", "system", "Manage the store"),
        "serve": _Entry("system.serve", "serve", "Serve the Docker Engine API on a unix socket"),
        "env": _Entry("system.serve", "env", "Print the variables that point docker clients here"),
        "docker": _Entry("system.serve", "docker", "Run the docker command line on this engine"),
        "completion": _Entry("completion", "completion", "Print shell completions"),
    },
}
_PLUGINS = ("buildx", "compose", "context")
_ENTRIES = {name: entry for part in _SECTIONS.values() for name, entry in part.items()}


class LazyGroup(Verbs):
    """A group that imports a subcommand on demand."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Return all names, without importing anything."""
        return list(_ENTRIES)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the subcommand."""
        entry = _ENTRIES.get(cmd_name)
        if entry is None:
            return None
        module = importlib.import_module(f"sandbox.cli.{entry.module}")
        command: click.Command = getattr(module, entry.attribute)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the subcommands by section."""
        for section, entries in _SECTIONS.items():
            with formatter.section(section):
                formatter.write_dl([(name, item.summary) for name, item in sorted(entries.items())])


@click.command(
    cls=LazyGroup,
    subcommand_metavar="COMMAND",
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
@click.option("--version", "-v", "show_version", is_flag=True, help="Show the version.")
@click.option("--debug", "-D", is_flag=True, help="Show tracebacks.")
@click.pass_context
def cli(ctx: click.Context, *, show_version: bool, debug: bool) -> int | None:
    """Run containers without root, user namespaces or a daemon.

    Run 'sandbox COMMAND --help' for more information on a command.
    """
    ctx.obj = {"debug": debug}
    if show_version:
        from sandbox.version import VERSION

        click.echo(f"sandbox version {VERSION}")
    return None


cli.invoke_without_command = True


def execute(argv: Sequence[str]) -> int:
    """Run the command line; report mistakes in it. Returns the exit code."""
    try:
        result = cli.main(argv, prog_name="sandbox", standalone_mode=False)
    except click.ClickException as exc:
        return _report_usage(exc)
    except click.Abort:
        return _EXIT_INTERRUPTED
    return result if isinstance(result, int) else 0


def _report_usage(exc: click.ClickException) -> int:
    from sandbox.cli import usage_errors

    ctx = exc.ctx if isinstance(exc, click.UsageError) else None
    refused = usage_errors.refusal(exc)
    click.echo(f"sandbox: {refused or _usage_message(exc)}", err=True)
    if ctx is not None and not refused:
        usage = ctx.command.get_usage(ctx).replace("Usage: ", "Usage:  ", 1)
        click.echo(f"\n{usage}\n", err=True)
        click.echo(f"Run '{ctx.command_path} --help' for more information", err=True)
    return _EXIT_FLAG if usage_errors.is_about_a_flag(exc) else 1


def _usage_message(exc: click.ClickException) -> str:
    from sandbox.cli import usage_errors

    if exc.message.startswith("No such command"):
        name = exc.message.split("'")[1]
        ctx = exc.ctx if isinstance(exc, click.UsageError) else None
        if ctx is not None and ctx.parent is not None:
            return f"unknown command: {ctx.command_path} {name}"
        return _unknown_command(name)
    return usage_errors.text_of(exc)


def _unknown_command(name: str) -> str:
    from difflib import get_close_matches

    if name in _PLUGINS:
        return f"'{name}' is a command of docker: use 'sandbox docker {name}'"
    close = get_close_matches(name, _ENTRIES, n=1)
    hint = f" (did you mean {close[0]}?)" if close else ""
    return f"'{name}' is not a sandbox command{hint}"
