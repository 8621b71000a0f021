# SPDX-License-Identifier: MIT
"""The mounts of a container: user binds, tmpfs, /dev, /proc, /etc.

Rules: pure; no function touches a file. A plan is a list of rows in mount order, and a
later row may lie below an earlier one.

Does not know: how a row becomes effective (the control file does that).
"""

from __future__ import annotations

import posixpath
from enum import Enum
from typing import TYPE_CHECKING

from sandbox.errors import Unsupported, UsageError
from sandbox.models.container import MountPoint
from sandbox.models.record import Record, replace

if TYPE_CHECKING:
    from collections.abc import Iterable

DEVICES = ("null", "zero", "full", "random", "urandom", "tty")

_LINKS = (
    ("/dev/fd", "/proc/self/fd"),
    ("/dev/stdin", "/proc/self/fd/0"),
    ("/dev/stdout", "/proc/self/fd/1"),
    ("/dev/stderr", "/proc/self/fd/2"),
    ("/dev/ptmx", "pts/ptmx"),
    ("/dev/core", "/proc/kcore"),
)

_SIZE_UNITS = {"": 1, "b": 1, "k": 2**10, "m": 2**20, "g": 2**30}


class Kind(Enum):
    """What a mount shows below its target."""

    BIND = "bind"
    TMPFS = "tmpfs"
    PROC = "proc"
    DEV = "dev"
    TERMINALS = "terminals"
    LINK = "link"
    LIMITS = "limits"


class Row(Record, frozen=True):
    """One mount; the host side of a `Kind.LINK` is the link's target.

    The user's own files there are shown as those of *uid* and *gid*. The host side does not leave
    *within*, a directory, whatever becomes a symlink meanwhile.
    """

    kind: Kind
    target: str
    host: str
    read_only: bool = False
    uid: int = 0
    gid: int = 0
    within: str = ""


def clean_target(target: str) -> str:
    """Return the absolute, normalised path of a mount point."""
    if not target.startswith("/"):
        raise UsageError(f"invalid mount path: '{target}' mount path must be absolute")
    cleaned = posixpath.normpath(target)
    cleaned = "/" + cleaned.lstrip("/")
    if cleaned == "/":
        raise UsageError("invalid specification: destination can't be '/'")
    return cleaned


def parse_volume(text: str, cwd: str) -> MountPoint:
    """Return the mount of ``-v [SRC:]DST[:OPTIONS]``.

    A source that starts with ``/`` or ``.`` is a directory of the host, anything else
    the name of a volume; without a source it is an anonymous volume.
    """
    parts = text.split(":")
    if len(parts) > 3 or not all(parts):
        raise UsageError(f"invalid volume specification: '{text}'")
    if len(parts) == 1:
        return MountPoint("volume", clean_target(text), anonymous=True)
    source, target = parts[0], clean_target(parts[1])
    options = _volume_options(parts[2] if len(parts) == 3 else "", text)
    if source[0] not in "/.~":
        if options.uid is not None or options.gid is not None:
            raise UsageError(f"uid and gid are for directories of the host: '{text}'")
        if options.propagation:
            raise UsageError(f"invalid mode: {options.propagation} in '{text}'")
        return MountPoint(
            "volume", target, name=source, read_only=options.read_only, copy=options.copy
        )
    if not options.copy:
        raise UsageError(f"invalid mode: nocopy in '{text}'")
    return MountPoint(
        "bind",
        target,
        posixpath.normpath(posixpath.join(cwd, source)),
        options.read_only,
        uid=options.uid,
        gid=options.gid,
        propagation=options.propagation,
    )


class _VolumeOptions(Record, frozen=True):
    read_only: bool = False
    copy: bool = True
    uid: int | None = None
    gid: int | None = None
    propagation: str = ""


# Sharing, labelling and propagation mean nothing without real mounts.
_MEANINGLESS = frozenset(("rw", "z", "Z", "cached", "delegated", "consistent"))
PROPAGATIONS = frozenset(("rprivate", "private", "rslave", "slave", "rshared", "shared"))


def _volume_options(options: str, text: str) -> _VolumeOptions:
    found = _VolumeOptions()
    for option in options.split(",") if options else ():
        key, equals, value = option.partition("=")
        if option == "ro":
            found = replace(found, read_only=True)
        elif option == "nocopy":
            found = replace(found, copy=False)
        elif equals and key == "uid" and value.isdecimal():
            found = replace(found, uid=int(value))
        elif equals and key == "gid" and value.isdecimal():
            found = replace(found, gid=int(value))
        elif option in PROPAGATIONS:
            found = replace(found, propagation=option)
        elif option not in _MEANINGLESS:
            raise UsageError(f"invalid mode: {option} in '{text}'")
    return found


def check_propagation(wanted: str) -> str:
    """Return the propagation of a bind, or an empty string without one."""
    if wanted and wanted not in PROPAGATIONS:
        raise UsageError(f"invalid propagation mode: {wanted}")
    return wanted


def parse_mount(text: str, cwd: str) -> MountPoint:
    """Return the mount of ``--mount type=bind|tmpfs,key=value,...``."""
    fields = _mount_fields(text)
    kind = fields.pop("type", "volume")
    source = fields.pop("source", "")
    if "target" not in fields:
        raise UsageError(f"invalid argument {text!r} for --mount: target is required")
    target = clean_target(fields.pop("target"))
    read_only = _flag(fields.pop("readonly", "false"), text)
    if kind == "bind":
        if not source:
            raise UsageError(f"invalid argument {text!r} for --mount: source is required")
        fields.pop("consistency", None)
        _check_recursive(fields, text)
        mount = MountPoint(
            "bind",
            target,
            posixpath.normpath(posixpath.join(cwd, source)),
            read_only,
            propagation=check_propagation(fields.pop("bind-propagation", "")),
        )
    elif kind == "tmpfs":
        if source:
            raise UsageError(
                'invalid mount config for type "tmpfs": field Source must not be specified'
            )
        mount = MountPoint(
            "tmpfs",
            target,
            read_only=read_only,
            size=_size(fields.pop("tmpfs-size", None), text),
            mode=_mode(fields.pop("tmpfs-mode", None), text),
        )
    elif kind == "volume":
        copy = not _flag(fields.pop("volume-nocopy", "false"), text)
        mount = MountPoint(
            "volume", target, name=source, read_only=read_only, copy=copy, anonymous=not source
        )
    else:
        raise UsageError(f"invalid mount type: {kind}")
    if fields:
        raise UsageError(f"unexpected key '{next(iter(fields))}' in '{text}'")
    return mount


def _check_recursive(fields: dict[str, str], text: str) -> None:
    """Refuse the modes that need real mounts: a bind shows the mounts below it unchanged."""
    below = fields.pop("bind-recursive", "enabled")
    if below not in ("enabled", "disabled", "writable", "readonly"):
        raise UsageError(f"invalid value for bind-recursive in '{text}': {below}")
    plain = _flag(fields.pop("bind-nonrecursive", "false"), text)
    if plain or below in ("disabled", "writable"):
        raise Unsupported(
            f"bind-recursive={below if not plain else 'disabled'} is not supported: a bind "
            "always shows the mounts below it"
        )


def _mount_fields(text: str) -> dict[str, str]:
    aliases = {"src": "source", "dst": "target", "destination": "target", "ro": "readonly"}
    fields: dict[str, str] = {}
    for item in text.split(","):
        key, equals, value = item.partition("=")
        key = key.strip().lower()
        key = aliases.get(key, key)
        if not equals:
            if key != "readonly" and key != "bind-nonrecursive":
                raise UsageError(
                    f"invalid argument {text!r} for --mount: "
                    f"invalid field '{item}' must be a key=value pair"
                )
            value = "true"
        fields[key] = value
    return fields


def split_device(text: str) -> tuple[str, str, str]:
    """Return source, target and permissions of ``--device PATH[:PATH[:rwm]]``. Raises UsageError.

    >>> split_device("/dev/fuse"), split_device("/dev/a:r"), split_device("/dev/a:/dev/b:rw")
    (('/dev/fuse', '/dev/fuse', 'rwm'), ('/dev/a', '/dev/a', 'r'), ('/dev/a', '/dev/b', 'rw'))
    """
    source, _, rest = text.partition(":")
    target, _, permissions = rest.partition(":")
    if target and not target.startswith("/"):
        target, permissions = "", target
    if not source.startswith("/") or not set(permissions) <= set("rwm"):
        raise UsageError(f'invalid argument "{text}" for "--device" flag: bad device specification')
    return source, target or source, permissions or "rwm"


def parse_device(text: str) -> MountPoint:
    """Return the mount of ``--device``."""
    source, target, _ = split_device(text)
    return MountPoint("bind", clean_target(target), source)


def parse_tmpfs(text: str) -> MountPoint:
    """Return the mount of ``--tmpfs DST[:OPTIONS]``."""
    target, _, options = text.partition(":")
    found = MountPoint("tmpfs", clean_target(target))
    for option in options.split(",") if options else ():
        key, _, value = option.partition("=")
        if key == "size":
            found = replace(found, size=_size(value, text))
        elif key == "mode":
            found = replace(found, mode=_mode(value, text))
        elif key in ("ro", "rw"):
            found = replace(found, read_only=key == "ro")
        elif key == "uid" and value.isdecimal():
            found = replace(found, uid=int(value))
        elif key == "gid" and value.isdecimal():
            found = replace(found, gid=int(value))
        elif option not in _FREE_OPTIONS and key not in _IDLE_OPTIONS:
            raise UsageError(f"invalid tmpfs option {option!r} in '{text}'")
    return found


# Options of a tmpfs that always hold, or that have no effect.
_FREE_OPTIONS = frozenset(("exec", "suid", "nosuid", "dev", "nodev", "relatime", "noatime"))
_IDLE_OPTIONS = frozenset(("size", "nr_inodes", "noexec"))


def idle_tmpfs_options(text: str) -> list[str]:
    """Return the options of ``--tmpfs DST[:OPTIONS]`` that have no effect.

    >>> idle_tmpfs_options("/run:noexec,mode=700,size=5k")
    ['noexec', 'size']
    """
    keys = (option.partition("=")[0] for option in text.partition(":")[2].split(","))
    return [key for key in keys if key in _IDLE_OPTIONS]


def _flag(text: str, whole: str) -> bool:
    if text.lower() in ("1", "t", "true"):
        return True
    if text.lower() in ("0", "f", "false"):
        return False
    raise UsageError(f"invalid value for readonly in '{whole}': {text}")


def _size(text: str | None, whole: str) -> int | None:
    if text is None:
        return None
    lowered = text.lower().removesuffix("ib") if text.lower().endswith("ib") else text.lower()
    digits = lowered.rstrip("bkmg")
    unit = lowered[len(digits) :]
    unit = unit[0] if unit else ""
    try:
        return int(float(digits) * _SIZE_UNITS[unit])
    except (ValueError, KeyError):
        raise UsageError(f"invalid size: '{text}' in '{whole}'") from None


def _mode(text: str | None, whole: str) -> int | None:
    if text is None:
        return None
    try:
        return int(text, 8) & 0o7777
    except ValueError:
        raise UsageError(f"invalid mode: '{text}' in '{whole}'") from None


def check_duplicates(mounts: Iterable[MountPoint]) -> tuple[MountPoint, ...]:
    """Return *mounts*, or raise if two have the same target."""
    seen: set[str] = set()
    result = tuple(mounts)
    for mount in result:
        if mount.target in seen:
            raise UsageError(f"duplicate mount point: {mount.target}")
        seen.add(mount.target)
    return result


def system_rows(*, dev_dir: str, shm_dir: str) -> list[Row]:
    """Return the mounts below /proc, /sys and /dev; the caller drops what the host lacks.

    Without a *shm_dir* there is no /dev/shm.
    """
    rows = [
        Row(Kind.PROC, "/proc", "/proc"),
        Row(Kind.BIND, "/sys", "/sys", True),
        Row(Kind.TMPFS, "/dev", dev_dir),
    ]
    rows += [Row(Kind.DEV, f"/dev/{name}", f"/dev/{name}") for name in DEVICES]
    rows += [
        Row(Kind.TERMINALS, "/dev/pts", "/dev/pts"),
        # The host's /dev/pts/ptmx has mode 000 where /dev/ptmx is a device.
        Row(Kind.DEV, "/dev/pts/ptmx", "/dev/ptmx"),
        Row(Kind.BIND, "/dev/mqueue", "/dev/mqueue"),
    ]
    if shm_dir:
        rows.append(Row(Kind.TMPFS, "/dev/shm", shm_dir))  # noqa: S108 - the guest's path
    rows += [Row(Kind.LINK, target, text) for target, text in _LINKS]
    return rows


def limit_rows(cgroup_dir: str) -> list[Row]:
    """Return the mounts whose files tell the container's limits; they lie below /sys."""
    cpus = "/sys/devices/system/cpu"
    return [
        Row(Kind.LIMITS, "/sys/fs/cgroup", cgroup_dir, True),
        Row(Kind.LIMITS, cpus, cpus, True),
    ]


def etc_rows(container_dir: str, names: Iterable[str], *, read_only: bool) -> list[Row]:
    """Return the binds of the files that the engine writes into /etc."""
    return [Row(Kind.BIND, f"/etc/{name}", f"{container_dir}/{name}", read_only) for name in names]


def user_rows(
    mounts: Iterable[MountPoint],
    tmpfs_dirs: dict[str, str],
    owner: tuple[int, int] = (0, 0),
) -> list[Row]:
    """Return the user's mounts, outer before inner; *tmpfs_dirs* is by target.

    *owner* has the user's own files in binds that name no owner.
    """
    rows = []
    for mount in sorted(mounts, key=lambda item: item.target.count("/")):
        uid, gid = mount.uid or 0, mount.gid or 0
        if mount.type == "tmpfs":
            host = tmpfs_dirs[mount.target]
            rows.append(Row(Kind.TMPFS, mount.target, host, mount.read_only, uid, gid))
            continue
        if mount.type == "bind" and mount.uid is None and mount.gid is None:
            uid, gid = owner
        # A container sees its own processes at any place.
        kind = Kind.PROC if mount.source == "/proc" else Kind.BIND
        shown = (mount.target, mount.source, mount.read_only, uid, gid)
        rows.append(Row(kind, *shown, within=mount.within))
    return rows


def bind_owner(user: str, uid: int, gid: int) -> tuple[int, int]:
    """Return whose the files of the machine's user *uid*, *gid* are in a container run as *user*.

    A container that runs as this very number shows them as the machine does.

    >>> bind_owner("1000:1000", 1000, 1000), bind_owner("1000", 1000, 100), bind_owner("", 7, 7)
    ((1000, 1000), (1000, 100), (0, 0))
    """
    return (uid, gid) if user.partition(":")[0] == str(uid) else (0, 0)


def replace_rows(base: list[Row], override: list[Row]) -> list[Row]:
    """Return *base* followed by *override*, which wins where targets are equal."""
    taken = {row.target for row in override}
    return [row for row in base if row.target not in taken] + override
