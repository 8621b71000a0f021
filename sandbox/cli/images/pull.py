# SPDX-License-Identifier: MIT
"""``pull``, and the pull of a missing image by ``run``."""

from __future__ import annotations

from contextlib import nullcontext
from typing import TYPE_CHECKING

import click

from sandbox.cli.output.format import emit
from sandbox.cli.output.transfer_progress import progress_shown
from sandbox.engine import Engine
from sandbox.errors import SandboxError, UsageError

if TYPE_CHECKING:
    from sandbox.engine.images.pull import Pulled
    from sandbox.models.lockfile import Lockfile


@click.command()
@click.option("-a", "--all-tags", is_flag=True, help="Pull every tag of the repository.")
@click.option("--platform", metavar="OS/ARCH", help="Pull this platform of a multi-platform image.")
@click.option("-q", "--quiet", is_flag=True, help="Show no progress; print the digest.")
@click.option("--offline", is_flag=True, help="Make no connection; use only the local store.")
@click.option("--lockfile", metavar="FILE", help="Write the present digest of NAME to FILE.")
@click.option("--locked", is_flag=True, help="Pull the digest in the lockfile.")
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
    """Pull an image from a registry."""
    del disable_content_trust
    lock = _checked_lock(lockfile, locked=locked, offline=offline, all_tags=all_tags, name=name)
    with progress_shown(quiet=quiet) as progress:
        if ":" not in name.rpartition("/")[2] and "@" not in name and not all_tags and not quiet:
            emit("Using default tag: latest")
        pinned = None if lock is None else lock.digest_of(name)
        explained = nullcontext() if lock is None else lock.mentioned(lock.pinned(name))
        with explained:
            found = Engine().images.pull(
                name,
                platform=platform,
                all_tags=all_tags,
                offline=offline,
                pinned=pinned,
                progress=progress,
            )
    if lockfile is not None and not locked:
        from sandbox.engine.lockfile import lock_images

        lock_images(lockfile, ((item.reference, item.digest) for item in found))
    for item in found:
        if quiet:
            emit(item.digest)
            continue
        emit(f"{_result(item)}\n{item.reference}")


def _checked_lock(
    path: str | None, *, locked: bool, offline: bool, all_tags: bool, name: str
) -> Lockfile | None:
    """Return the lockfile's entry for --locked; refuse names that cannot be locked."""
    if path is None and not locked:
        return None
    from sandbox.engine.lockfile import check_lockfile, chosen_lockfile
    from sandbox.engine.registries.session import is_offline
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


def pull_for_run(image: str, platform: str | None, *, quiet: bool) -> None:
    """Pull the image of a new container."""
    with progress_shown(quiet=quiet, to_stderr=True) as progress:
        try:
            [pulled] = Engine().images.pull(image, platform=platform, progress=progress)
        except SandboxError as exc:
            exc.exit_code = 125
            raise
    if not quiet:
        click.echo(_result(pulled), err=True)
