# SPDX-License-Identifier: MIT
"""``exec``."""

from __future__ import annotations

import os

import click

from sandbox.cli.completion import complete_containers
from sandbox.errors import UsageError
from sandbox.runtime import spec

_SETTINGS = {"allow_interspersed_args": False, "help_option_names": ["--help"]}


@click.command("exec", context_settings=_SETTINGS, options_metavar="[OPTIONS]")
@click.option("-d", "--detach", is_flag=True, help="Run in the background.")
@click.option("--detach-keys", metavar="KEYS", help="Keys that detach (ctrl-p,ctrl-q).")
@click.option("-i", "--interactive", is_flag=True, help="Keep standard input attached.")
@click.option("-t", "--tty", is_flag=True, help="Allocate a terminal.")
@click.option("-e", "--env", multiple=True, metavar="NAME[=VALUE]", help="Set a variable.")
@click.option("--env-file", multiple=True, metavar="FILE", help="Read variables from a file.")
@click.option("--privileged", is_flag=True, help="Give it all capabilities of an emulated root.")
@click.option("-u", "--user", metavar="NAME|UID[:GROUP|GID]", help="User to run as.")
@click.option("-w", "--workdir", metavar="DIR", help="Working directory.")
@click.argument("container", shell_complete=complete_containers)
@click.argument("args", nargs=-1, required=True, type=click.UNPROCESSED, metavar="COMMAND [ARG...]")
def exec_(
    *,
    detach: bool,
    detach_keys: str | None,
    interactive: bool,
    tty: bool,
    env: tuple[str, ...],
    env_file: tuple[str, ...],
    privileged: bool,
    user: str | None,
    workdir: str | None,
    container: str,
    args: tuple[str, ...],
) -> int:
    """Run a command in a running container.

    The exit code is the command's own; 126 if it is not executable, 127 if it was not
    found, 128+N after signal N; 1 after the detach keys, while the command continues.
    """
    from sandbox.cli.containers.run_flags import environment
    from sandbox.engine import Engine
    from sandbox.runtime.exec.exec_process import ExecRequest

    stdin = interactive and not detach
    problem = spec.tty_conflict(
        tty=tty and not detach, attach_stdin=stdin, stdin_is_tty=os.isatty(0)
    )
    if problem is not None:
        raise UsageError(problem)
    request = ExecRequest(
        args=args,
        env=environment(env_file, env),
        user=user,
        working_dir=workdir,
        tty=tty,
        stdin=stdin,
        privileged=privileged,
    )
    keys = b""
    if tty and stdin:
        from sandbox.runtime.attach import chosen_keys

        keys = chosen_keys(detach_keys)
    return Engine().containers.exec(container, request, detach=detach, keys=keys, warn=_warn)


def _warn(text: str) -> None:
    click.echo(f"sandbox: warning: {text}", err=True)
