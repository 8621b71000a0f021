# SPDX-License-Identifier: MIT
"""The identity of the main process: Docker's rules for ``--user``, passwd and group.

Pure: works on the *text* of the container's files, never on the host's files.

Does not know: where the text comes from, or what the ids are used for.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.errors import RuntimeFailed
from sandbox.models.record import Record

if TYPE_CHECKING:
    from collections.abc import Sequence

MAX_ID = 2**31 - 1


class PasswdEntry(Record, frozen=True):
    """The relevant fields of a line of /etc/passwd."""

    name: str
    uid: int
    gid: int
    home: str


class GroupEntry(Record, frozen=True):
    """A line of /etc/group."""

    name: str
    gid: int
    members: tuple[str, ...]


class Identity(Record, frozen=True):
    """The ids and the home directory of a new process."""

    uid: int = 0
    gid: int = 0
    groups: tuple[int, ...] = ()
    home: str = "/"


def parse_passwd(text: str) -> tuple[PasswdEntry, ...]:
    r"""Return the entries of a passwd file; skip malformed lines.

    >>> parse_passwd("root:x:0:0:root:/root:/bin/sh\n# no\n")[0].home
    '/root'
    """
    entries = []
    for fields in _rows(text):
        if len(fields) >= 4 and fields[2].isdigit() and fields[3].isdigit():
            home = fields[5] if len(fields) > 5 else ""
            entries.append(PasswdEntry(fields[0], int(fields[2]), int(fields[3]), home))
    return tuple(entries)


def parse_group(text: str) -> tuple[GroupEntry, ...]:
    """Return the entries of a group file; skip malformed lines."""
    entries = []
    for fields in _rows(text):
        if len(fields) >= 3 and fields[2].isdigit():
            members = fields[3] if len(fields) > 3 else ""
            names = tuple(name for name in members.split(",") if name)
            entries.append(GroupEntry(fields[0], int(fields[2]), names))
    return tuple(entries)


def resolve_identity(
    spec: str,
    passwd: tuple[PasswdEntry, ...],
    group: tuple[GroupEntry, ...],
    more: Sequence[str] = (),
) -> Identity:
    """Return the identity for ``NAME|UID[:GROUP|GID]``; root for an empty *spec*.

    *more* are additional groups. A number need not be in the files; a name must be.
    """
    user_part, _, group_part = spec.partition(":")
    entry = _find_user(user_part or "0", passwd)
    if entry is None:
        uid = _number(user_part or "0", "user", "passwd")
        entry = PasswdEntry("", uid, 0, "/")
    home = entry.home or "/"
    added = tuple(_find_group(name, group) for name in more)
    if group_part:
        return Identity(entry.uid, _find_group(group_part, group), added, home)
    return Identity(entry.uid, entry.gid, _memberships(entry.name, group) + added, home)


def _rows(text: str) -> list[list[str]]:
    lines = (line.strip() for line in text.splitlines())
    return [line.split(":") for line in lines if line and not line.startswith("#")]


def _find_user(spec: str, passwd: tuple[PasswdEntry, ...]) -> PasswdEntry | None:
    for entry in passwd:
        if entry.name == spec or (spec.isdigit() and entry.uid == int(spec)):
            return entry
    return None


def _find_group(spec: str, group: tuple[GroupEntry, ...]) -> int:
    for entry in group:
        if entry.name == spec or (spec.isdigit() and entry.gid == int(spec)):
            return entry.gid
    return _number(spec, "group", "group")


def _memberships(user: str, group: tuple[GroupEntry, ...]) -> tuple[int, ...]:
    if not user:
        return ()
    return tuple(entry.gid for entry in group if user in entry.members)


def _number(spec: str, kind: str, file: str) -> int:
    if not spec.removeprefix("-").isdigit():
        raise RuntimeFailed(f"unable to find {kind} {spec}: no matching entries in {file} file")
    if not 0 <= int(spec) <= MAX_ID:
        raise RuntimeFailed(f"uids and gids must be in range 0-{MAX_ID}: {spec} is not")
    return int(spec)
