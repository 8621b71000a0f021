# SPDX-License-Identifier: MIT
"""Decides what the removal of a name or of an image removes, by Docker's rules. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.errors import Conflict
from sandbox.models.record import Record, field
from sandbox.models.reference import (
    Reference,
    image_reference,
    parse_reference,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from sandbox.models.digest import Digest
    from sandbox.models.image import Image


class ImageUser(Record, frozen=True):
    """A container made from an image."""

    container_id: str
    is_running: bool


class Removal(Record):
    """The result of a removal, in the order to report it."""

    untagged: list[str] = field(default_factory=list)
    deleted: list[Digest] = field(default_factory=list)


class Plan(Record, frozen=True):
    """The references to remove, and whether the image is removed as well."""

    references: Sequence[str]
    removes_image: bool
    by_name: bool


def plan_removal(image: Image, name: str, *, force: bool) -> Plan:
    """Return what the removal of *name*, which refers to *image*, removes. Raises Conflict."""
    everything = [*image.repo_tags, *image.repo_digests]
    reference = image_reference(name)
    key = "" if reference is None else _key(reference)
    if key in everything:
        return _plan_untag(image, key)
    repositories = {parse_reference(item).name for item in everything}
    if len(repositories) > 1 and not force:
        raise Conflict(
            f"conflict: unable to delete {image.short_id} (must be forced) -"
            " image is referenced in multiple repositories"
        )
    return Plan(everything, removes_image=True, by_name=False)


def _plan_untag(image: Image, key: str) -> Plan:
    doomed = [key]
    repository = parse_reference(key).name
    siblings = [tag for tag in image.repo_tags if tag != key]
    if not any(parse_reference(tag).name == repository for tag in siblings):
        doomed += [
            item
            for item in image.repo_digests
            if item != key and parse_reference(item).name == repository
        ]
    left = set(siblings) | set(image.repo_digests)
    return Plan(doomed, removes_image=not left - set(doomed), by_name=True)


def _key(reference: Reference) -> str:
    if reference.digest is not None:
        return f"{reference.name}@{reference.digest}"
    return str(reference.with_default_tag())


def may_go(
    image: Image, users: Iterable[ImageUser], name: str, *, by_name: bool, force: bool
) -> bool:
    """Return whether the image may be removed now. Raises Conflict if containers forbid it.

    The layers stay while a container uses them.
    """
    users = sorted(users, key=lambda user: not user.is_running)
    if not users:
        return True
    user = users[0]
    container = user.container_id[:12]
    if user.is_running and not (by_name and force):
        raise Conflict(
            f"conflict: unable to delete {image.short_id} (cannot be forced) -"
            f" image is being used by running container {container}"
        )
    if not force and by_name:
        raise Conflict(
            f'conflict: unable to remove repository reference "{name}" (must force) -'
            f" container {container} is using its referenced image {image.short_id}"
        )
    if not force:
        raise Conflict(
            f"conflict: unable to delete {image.short_id} (must be forced) -"
            f" image is being used by stopped container {container}"
        )
    return False
