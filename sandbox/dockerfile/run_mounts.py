# SPDX-License-Identifier: MIT
"""The value of ``RUN --mount``: ``type=cache,target=/x,...``. Pure.

Rules: values are expanded before they are checked. ``from`` must not contain variables,
since the order of the build is decided before any variable has a value.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

from sandbox.dockerfile.go_text import did_you_mean, quoted
from sandbox.dockerfile.instructions import Mount, MountKind, Sharing
from sandbox.dockerfile.words import ArgumentError

if TYPE_CHECKING:
    from collections.abc import Callable

_KEYS = {
    "type": "type",
    "from": "from",
    "source": "source",
    "src": "source",
    "target": "target",
    "dst": "target",
    "destination": "target",
    "readonly": "ro",
    "ro": "ro",
    "readwrite": "rw",
    "rw": "rw",
    "required": "required",
    "size": "size",
    "id": "id",
    "sharing": "sharing",
    "mode": "mode",
    "uid": "uid",
    "gid": "gid",
    "env": "env",
}
_OF_KINDS = {"required": ("secret", "ssh"), "size": ("tmpfs",)}
_TRUE = frozenset({"1", "t", "T", "TRUE", "true", "True"})
_FALSE = frozenset({"0", "f", "F", "FALSE", "false", "False"})
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]*)?) ?([kKmMgGtTpP]?)(?:[iI]?[bB])?")
_POWERS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4, "p": 5}
_LARGEST = 2**32


def parse_mount(text: str, expand: Callable[[str], str] | None = None) -> Mount:
    """Return the mount in *text*. Without *expand*, values that contain "$" are left out.

    Raises ArgumentError.
    """
    found: dict[str, str] = {}
    complete = expand is not None or "$" not in text
    for field in _fields(text):
        key, equals, value = field.partition("=")
        name = _name_of(field, key.lower(), has_value=bool(equals))
        if name == "from" and re.search(r"\$.", value):
            raise ArgumentError(
                f"'{key.lower()}' doesn't support variable expansion, define alias stage instead"
            )
        if expand is not None:
            value = expand(value)
        elif "$" in value:
            continue
        if name in _OF_KINDS and complete:
            _check_kind(name, found.get("type", "bind").lower())
        if name in ("ro", "rw", "required"):
            value = _flag(key, value) if equals else "true"
        if name == "rw":
            name, value = "ro", "false" if value == "true" else "true"
        found[name] = value
    return _mount(found, complete=complete)


def _name_of(field: str, key: str, *, has_value: bool) -> str:
    name = _KEYS.get(key)
    if not has_value and name not in ("ro", "rw", "required"):
        raise ArgumentError(f"invalid field '{field}' must be a key=value pair")
    if name is None:
        raise ArgumentError(did_you_mean(f"unexpected key '{key}' in '{field}'", key, _KEYS))
    return name


def _mount(found: dict[str, str], *, complete: bool) -> Mount:
    kind = _kind(found.get("type", "bind"))
    if complete:
        _check(kind, found)
    source, target = found.get("source", ""), found.get("target", "")
    identity = found.get("id", "")
    if kind is MountKind.SECRET:
        identity = source or identity or posixpath.basename(target)
        if not target and "env" not in found:
            target = f"/run/secrets/{posixpath.basename(identity)}"
    elif kind is MountKind.CACHE:
        identity = identity or posixpath.normpath(target or ".")
    elif kind is MountKind.SSH:
        identity = identity or source
    writable = kind in (MountKind.CACHE, MountKind.TMPFS)
    return Mount(
        kind=kind,
        source="" if kind in (MountKind.SECRET, MountKind.SSH) else source,
        target=target,
        from_=found.get("from", ""),
        read_only=found["ro"] == "true" if "ro" in found else not writable,
        sharing=_sharing(found.get("sharing", "shared")),
        id=identity,
        size=_size("size", found["size"]) if "size" in found else 0,
        required=found.get("required") == "true",
        mode=_number("mode", found.get("mode"), 8),
        uid=_number("uid", found.get("uid"), 10),
        gid=_number("gid", found.get("gid"), 10),
        env=found.get("env"),
    )


def _check(kind: MountKind, found: dict[str, str]) -> None:
    if kind not in (MountKind.SECRET, MountKind.SSH, MountKind.CACHE):
        for name in ("mode", "uid", "gid"):
            if name in found:
                raise ArgumentError(f"{name} not allowed for {quoted(kind.value)} type mounts")
    for name in _OF_KINDS:
        if name in found:
            _check_kind(name, kind.value)
    if "env" in found and kind is not MountKind.SECRET:
        raise ArgumentError(f"unexpected key 'env' for mount type '{kind.value}'")
    if kind is MountKind.SECRET:
        _check_secret(found)
    if "sharing" in found and kind is not MountKind.CACHE:
        raise ArgumentError(f"invalid cache sharing set for {kind.value} mount")


def _check_kind(name: str, kind: str) -> None:
    """Raise ArgumentError if a mount of type *kind* has no key *name*."""
    if kind not in _OF_KINDS[name]:
        raise ArgumentError(f"unexpected key '{name}' for mount type '{kind}'")


def _check_secret(found: dict[str, str]) -> None:
    if "from" in found:
        raise ArgumentError("secret mount should not have a from")
    if "sharing" in found:
        raise ArgumentError("secret mount should not define sharing")
    if not any(found.get(name) for name in ("source", "target", "id")):
        raise ArgumentError("invalid secret mount. one of source, target required")
    if found.get("source") and found.get("id"):
        raise ArgumentError("both source and id can't be set")


def _kind(value: str) -> MountKind:
    try:
        return MountKind(value.lower())
    except ValueError:
        message = f"unsupported mount type {quoted(value)}"
        names = [kind.value for kind in MountKind]
        raise ArgumentError(did_you_mean(message, value, names)) from None


def _sharing(value: str) -> Sharing:
    try:
        return Sharing(value.lower())
    except ValueError:
        message = f"unsupported sharing value {quoted(value)}"
        names = [mode.value for mode in Sharing]
        raise ArgumentError(did_you_mean(message, value, names)) from None


def _flag(key: str, value: str) -> str:
    if value in _TRUE:
        return "true"
    if value in _FALSE:
        return "false"
    raise ArgumentError(f"invalid value for {key}: {value}")


def _number(key: str, value: str | None, base: int) -> int | None:
    if value is None:
        return None
    digits = "01234567" if base == 8 else "0123456789"
    if not value or len(value) > 12 or value.strip(digits) or int(value, base) >= _LARGEST:
        raise ArgumentError(f"invalid value {value} for {key}")
    return int(value, base)


def _size(key: str, value: str) -> int:
    match = _SIZE.fullmatch(value)
    if match is None or len(match[1]) > 18:
        raise ArgumentError(f"invalid value for {key}: {value}")
    return int(float(match[1]) * 1024 ** _POWERS[match[2].lower()])


def _fields(text: str) -> list[str]:
    """Return the comma-separated values in one line, as Go's encoding/csv splits them."""
    fields: list[str] = []
    at = 0
    while True:
        if text.startswith('"', at):
            field, at = _quoted_field(text, at + 1)
        else:
            end = text.find(",", at)
            field, at = (text[at:], len(text)) if end < 0 else (text[at:end], end)
            if '"' in field:
                raise ArgumentError('failed to parse csv mounts: bare " in non-quoted field')
        fields.append(field)
        if at >= len(text):
            return fields
        at += 1


def _quoted_field(text: str, at: int) -> tuple[str, int]:
    out: list[str] = []
    while (end := text.find('"', at)) >= 0:
        out.append(text[at:end])
        if text.startswith('"', end + 1):
            out.append('"')
            at = end + 2
            continue
        if end + 1 == len(text) or text[end + 1] == ",":
            return "".join(out), end + 1
        break
    raise ArgumentError('failed to parse csv mounts: extraneous or missing " in quoted-field')
