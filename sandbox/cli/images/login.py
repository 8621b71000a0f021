# SPDX-License-Identifier: MIT
"""``login`` and ``logout``."""

from __future__ import annotations

import sys

import click

from sandbox.cli.output.format import emit
from sandbox.engine import Engine
from sandbox.errors import UsageError

_LAST_PASSWORD_BYTE = 64 * 1024


@click.command()
@click.option("-u", "--username", metavar="NAME", help="User name.")
@click.option("-p", "--password", metavar="TEXT", help="Password; --password-stdin is safer.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.argument("server", required=False)
def login(
    *, username: str | None, password: str | None, password_stdin: bool, server: str | None
) -> None:
    """Log in to a registry; without SERVER, to Docker Hub.

    The credentials are stored where docker stores them: in ~/.docker/config.json or in
    the credential helper that this file names.
    """
    if password is not None and password_stdin:
        raise UsageError("--password and --password-stdin are mutually exclusive")
    if password is not None:
        click.echo("WARNING! --password is insecure: use --password-stdin.", err=True)
    if password_stdin:
        if not username:
            raise UsageError("must provide --username with --password-stdin")
        password = sys.stdin.read(_LAST_PASSWORD_BYTE).rstrip("\r\n")
    if (username is None or password is None) and not sys.stdin.isatty():
        raise UsageError("cannot ask for a user name and password: input is not a terminal")
    if username is None:
        username = click.prompt("Username", type=str)
    if password is None:
        password = click.prompt("Password", type=str, hide_input=True)
    if not username or not password:
        raise UsageError("a user name and a password are needed")
    where = Engine().registries.login(server, username, password)
    click.echo(f"Credentials are kept in {where}", err=True)
    emit("Login Succeeded")


@click.command()
@click.argument("server", required=False)
def logout(*, server: str | None) -> None:
    """Log out from a registry; without SERVER, from Docker Hub."""
    shown = server or "https://index.docker.io/v1/"
    if Engine().registries.logout(server):
        emit(f"Removing login credentials for {shown}")
    else:
        emit(f"Not logged in to {shown}")
