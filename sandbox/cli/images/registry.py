# SPDX-License-Identifier: MIT
"""``pull``, ``push``, ``login``, ``logout`` and ``search``."""

from __future__ import annotations

import sys
from contextlib import nullcontext
from typing import TYPE_CHECKING, Any

import click

from sandbox.cli.completion import complete_images
from sandbox.cli.output.format import Column, ellipsis, emit, render
from sandbox.cli.output.transfer_progress import progress_shown
from sandbox.engine import Engine
from sandbox.errors import SandboxError, UsageError

if TYPE_CHECKING:
    from sandbox.engine.registries import Pulled
    from sandbox.models.lockfile import Lockfile

_SEARCH_COLUMNS = (
    Column("NAME", "Name"),
    Column("DESCRIPTION", "Description"),
    Column("STARS", "StarCount"),
    Column("OFFICIAL", "IsOfficial"),
)
_LAST_PASSWORD_BYTE = 64 * 1024
_MATCHING = "Only those that match (is-official, stars)."


@click.command()
@click.option("-a", "--all-tags", is_flag=True, help="Pull every tag of the repository.")
@click.option("--platform", metavar="OS/ARCH", help="Pull this platform of a multi-platform image.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress; print the digest.")
@click.option("--offline", is_flag=True, help="Make no connection: only say what is here.")
@click.option("--lockfile", metavar="FILE", help="Write which digest NAME means now to FILE.")
@click.option("--locked", is_flag=True, help="Pull the digest that the lockfile says.")
@click.option("--disable-content-trust", is_flag=True, hidden=True)
@click.argument("name", metavar="NAME[:TAG|@DIGEST]")
def pull(
    *,
    all_tags: bool,
    platform: str | None,
    quiet: bool,
    offline: bool,
    lockfile: str | None,
    locked: bool,
    disable_content_trust: bool,
    name: str,
) -> None:
    """Get an image from a registry."""
    del disable_content_trust
    lock = _checked_lock(lockfile, locked=locked, offline=offline, all_tags=all_tags, name=name)
    with progress_shown(quiet=quiet) as progress:
        if ":" not in name.rpartition("/")[2] and "@" not in name and not all_tags and not quiet:
            emit("Using default tag: latest")
        pinned = None if lock is None else lock.digest_of(name)
        blamed = nullcontext() if lock is None else lock.blamed(lock.pinned(name))
        with blamed:
            found = Engine().pull_image(
                name,
                platform=platform,
                all_tags=all_tags,
                offline=offline,
                pinned=pinned,
                progress=progress,
            )
    if lockfile is not None and not locked:
        from sandbox.engine.locking import lock_images

        lock_images(lockfile, ((item.reference, item.digest) for item in found))
    for item in found:
        if quiet:
            emit(item.digest)
            continue
        emit(f"{_result(item)}\n{item.reference}")


def _checked_lock(
    path: str | None, *, locked: bool, offline: bool, all_tags: bool, name: str
) -> Lockfile | None:
    """Return what is locked, with --locked; refuse what could not be locked."""
    if path is None and not locked:
        return None
    from sandbox.engine.locking import check_lockfile, chosen_lockfile
    from sandbox.engine.transfers import is_offline
    from sandbox.models.reference import parse_reference

    if path is None or locked:
        if all_tags:
            raise UsageError("--locked can't be used with --all-tags/-a")
        return chosen_lockfile(path, strict=True)
    if offline or is_offline():
        raise UsageError("--lockfile without --locked asks the registry: it cannot be offline")
    if parse_reference(name).digest is not None:
        raise UsageError("--lockfile is for tags: the name has a digest")
    check_lockfile(path)
    return None


def _result(item: Pulled) -> str:
    done = "Downloaded newer image for" if item.is_new else "Image is up to date for"
    return f"Digest: {item.digest}\nStatus: {done} {item.reference.familiar}"


@click.command()
@click.option("-a", "--all-tags", is_flag=True, help="Push every tag of the repository.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress; print the digest.")
@click.option("--disable-content-trust", is_flag=True, hidden=True)
@click.argument("name", metavar="NAME[:TAG]", shell_complete=complete_images)
def push(*, all_tags: bool, quiet: bool, disable_content_trust: bool, name: str) -> None:
    """Send an image to the registry in its name."""
    del disable_content_trust
    with progress_shown(quiet=quiet) as progress:
        sent = Engine().push_image(name, all_tags=all_tags, progress=progress)
    for item in sent:
        if quiet:
            emit(item.digest)
        else:
            emit(f"{item.reference.tag}: digest: {item.digest} size: {item.size}")


@click.command()
@click.option("-u", "--username", metavar="NAME", help="User name.")
@click.option("-p", "--password", metavar="TEXT", help="Password; better --password-stdin.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input.")
@click.argument("server", required=False)
def login(
    *, username: str | None, password: str | None, password_stdin: bool, server: str | None
) -> None:
    """Log in to a registry; without SERVER, to Docker Hub.

    The credentials are kept where docker keeps them: ~/.docker/config.json or the
    credential helper that is named there.
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
        raise UsageError("cannot ask for a user name and password: this is no terminal")
    if username is None:
        username = click.prompt("Username", type=str)
    if password is None:
        password = click.prompt("Password", type=str, hide_input=True)
    if not username or not password:
        raise UsageError("a user name and a password are needed")
    where = Engine().login(server, username, password)
    click.echo(f"Credentials are kept in {where}", err=True)
    emit("Login Succeeded")


@click.command()
@click.argument("server", required=False)
def logout(*, server: str | None) -> None:
    """Forget the credentials for a registry; without SERVER, for Docker Hub."""
    shown = server or "https://index.docker.io/v1/"
    if Engine().logout(server):
        emit(f"Removing login credentials for {shown}")
    else:
        emit(f"Not logged in to {shown}")


@click.command()
@click.option(
    "--limit", default=25, type=click.IntRange(1, 100), metavar="N", help="At most so many (25)."
)
@click.option("--no-trunc", is_flag=True, help="Do not cut descriptions.")
@click.option("-f", "--filter", "filters", multiple=True, metavar="KEY=VALUE", help=_MATCHING)
@click.option("--format", "template", metavar="TEMPLATE", help="'json' or a Go template.")
@click.argument("term")
def search(
    *, limit: int, no_trunc: bool, filters: tuple[str, ...], template: str | None, term: str
) -> None:
    """Search a registry (REGISTRY/TERM), by default Docker Hub."""
    passes = [_parse_filter(item) for item in filters]
    rows = []
    for item in Engine().search(term, limit=limit):
        row = _search_row(item, long=no_trunc)
        if all(test(row) for test in passes):
            rows.append(row)
    headings = {column.field: column.heading for column in _SEARCH_COLUMNS}
    text = render(rows, _SEARCH_COLUMNS, template=template, headings=headings)
    if text:
        emit(text)


def _search_row(item: dict[str, Any], *, long: bool) -> dict[str, str]:
    text = str(item.get("description") or "").replace("\n", " ")
    return {
        "Name": str(item.get("name", "")),
        "Description": text if long else ellipsis(text, 45),
        "StarCount": str(item.get("star_count") or 0),
        "IsOfficial": "[OK]" if item.get("is_official") else "",
    }


def _parse_filter(text: str) -> Any:
    key, equals, value = text.partition("=")
    if equals and key == "stars" and value.isdecimal():
        return lambda row: int(row["StarCount"]) >= int(value)
    if equals and key == "is-official":
        return lambda row: bool(row["IsOfficial"]) == (value.lower() in ("true", "1"))
    raise UsageError(f"invalid filter '{text}'")


def pull_for_run(image: str, platform: str | None, *, quiet: bool) -> None:
    """Get the image that a container is to be made from."""
    with progress_shown(quiet=quiet, to_stderr=True) as progress:
        try:
            [pulled] = Engine().pull_image(image, platform=platform, progress=progress)
        except SandboxError as exc:
            exc.exit_code = 125
            raise
    if not quiet:
        click.echo(_result(pulled), err=True)
