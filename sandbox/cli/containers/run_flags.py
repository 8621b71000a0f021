# SPDX-License-Identifier: MIT
"""The flags that `run` and `create` share, and the engine's request that they make.

Does not know: how the engine handles a request.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from sandbox.cli.containers.environment_flags import environment
from sandbox.cli.containers.lifecycle_flags import LIFE_OPTIONS, policy_of
from sandbox.cli.containers.network_flags import NETWORK_OPTIONS, network_of
from sandbox.cli.containers.security_flags import (
    NAMESPACE_OPTIONS,
    SECURITY_OPTIONS,
    namespaces_of,
    security_of,
)
from sandbox.cli.stdio import warn
from sandbox.engine.containers.config import CreateRequest
from sandbox.errors import RuntimeFailed, UsageError, map_os_errors
from sandbox.models.record import Record
from sandbox.runtime import mounts, spec

if TYPE_CHECKING:
    from sandbox.cli.quick_words import Table
    from sandbox.models.container import Container, MountPoint
    from sandbox.models.lockfile import Lockfile

_OPTIONS: Table = (
    (("-i", "--interactive"), {"is_flag": True, "help": "Keep standard input open."}),
    (("-t", "--tty"), {"is_flag": True, "help": "Give the container a terminal."}),
    (("--rm",), {"is_flag": True, "help": "Remove the container when it ends."}),
    (("--name",), {"metavar": "NAME", "help": "Name of the container."}),
    (("-h", "--hostname"), {"metavar": "NAME", "help": "Host name in the container."}),
    (
        ("-e", "--env"),
        {
            "multiple": True,
            "metavar": "NAME[=VALUE]",
            "help": "Set a variable; NAME alone takes the host's value.",
        },
    ),
    (("--env-file",), {"multiple": True, "metavar": "FILE", "help": "Read variables from a file."}),
    (("-w", "--workdir"), {"metavar": "DIR", "help": "Working directory."}),
    (("-u", "--user"), {"metavar": "NAME|UID[:GROUP|GID]", "help": "User to run as."}),
    (("--entrypoint",), {"metavar": "PROGRAM", "help": "Replace the image's ENTRYPOINT."}),
    (
        ("-v", "--volume"),
        {
            "multiple": True,
            "metavar": "[SRC:]DST[:ro]",
            "help": "Show a directory of the host, or a volume.",
        },
    ),
    (
        ("--mount",),
        {
            "multiple": True,
            "metavar": "type=bind|volume|tmpfs,...",
            "help": "Show a directory, a volume or an empty directory in memory.",
        },
    ),
    (
        ("--tmpfs",),
        {"multiple": True, "metavar": "DIR[:OPTIONS]", "help": "Put an empty directory in memory."},
    ),
    (
        ("--volumes-from",),
        {"multiple": True, "metavar": "CONTAINER[:ro]", "help": "Show its volumes, too."},
    ),
    (("--read-only",), {"is_flag": True, "help": "Make the root file system read-only."}),
    (("-l", "--label"), {"multiple": True, "metavar": "KEY[=VALUE]", "help": "Attach a label."}),
    (("--label-file",), {"multiple": True, "metavar": "FILE", "help": "Read labels from a file."}),
    (
        ("--annotation",),
        {"multiple": True, "metavar": "KEY=VALUE", "help": "Note that 'inspect' shows."},
    ),
    (("--group-add",), {"multiple": True, "metavar": "GROUP|GID", "help": "One more group."}),
    (("--shm-size",), {"metavar": "BYTES", "help": "Room in /dev/shm (never limited)."}),
    (
        ("--device",),
        {
            "multiple": True,
            "metavar": "PATH[:PATH[:rwm]]",
            "help": "Show a device of the host; the host decides who opens it.",
        },
    ),
    (("--userns",), {"metavar": "host", "help": "Changes nothing: there is no other."}),
    (("--volume-driver",), {"metavar": "DRIVER", "help": "Only 'local' exists."}),
    (
        ("--disable-content-trust/--content-trust",),
        {"default": True, "help": "Check no signatures: always so."},
    ),
    (
        ("--ulimit",),
        {"multiple": True, "metavar": "NAME=SOFT[:HARD]", "help": "Set a resource limit."},
    ),
    (
        ("--init",),
        {"is_flag": True, "help": "Reap processes that lost their parent (always done)."},
    ),
    (("--cidfile",), {"metavar": "FILE", "help": "Write the container's id to a file."}),
    (
        ("--pull",),
        {
            "metavar": "missing|never|always",
            "default": "missing",
            "help": "When to pull the image (missing).",
        },
    ),
    (("-q", "--quiet"), {"is_flag": True, "help": "Show no progress of a pull."}),
    (("--lockfile",), {"metavar": "FILE", "help": "Take the digest that FILE locks IMAGE to."}),
    (("--locked",), {"is_flag": True, "help": "Refuse an image that the lockfile lacks."}),
    (("--platform",), {"metavar": "OS/ARCH", "help": "Require this platform."}),
    (("--stop-signal",), {"metavar": "SIGNAL", "help": "Signal that asks it to stop (TERM)."}),
    (
        ("--interceptor",),
        {
            "metavar": "auto|rewrite|trap|ptrace",
            "default": "auto",
            "envvar": "SANDBOX_INTERCEPTOR",
            "help": "How system calls are caught (auto); 'sandbox doctor' tells more.",
        },
    ),
    (
        ("--trace",),
        {"is_flag": True, "help": "Show every call that is intercepted, on standard error."},
    ),
)

SHARED_OPTIONS: Table = (
    *_OPTIONS,
    *NETWORK_OPTIONS,
    *NAMESPACE_OPTIONS,
    *SECURITY_OPTIONS,
    *LIFE_OPTIONS,
)

_ATTACH: tuple[tuple[str, ...], dict[str, Any]] = (
    ("-a", "--attach"),
    {"multiple": True, "metavar": "STREAM", "help": "Attach stdin, stdout or stderr."},
)

CREATE_OPTIONS: Table = (_ATTACH, *SHARED_OPTIONS)

RUN_OPTIONS: Table = (
    (("-d", "--detach"), {"is_flag": True, "help": "Run in the background and print the id."}),
    (("--detach-keys",), {"metavar": "KEYS", "help": "Keys that detach (ctrl-p,ctrl-q)."}),
    (("--sig-proxy/--no-sig-proxy",), {"default": True, "help": "Forward signals."}),
    *CREATE_OPTIONS,
)


class Flags(Record, frozen=True):
    """The flags that do not belong to the container's configuration."""

    cidfile: str | None
    pull: str
    trace: bool
    quiet: bool
    lock: Lockfile | None = None


def request_of(options: dict[str, Any]) -> tuple[CreateRequest, Flags]:
    """Return the engine's request, and the remaining flags."""
    _check_pull(options["pull"])
    _check_cidfile(options["cidfile"])
    _check_driver(options["volume_driver"])
    if options["userns"] not in (None, "", "host"):
        raise UsageError(
            f"--userns={options['userns']} is not supported: there are no user namespaces"
        )
    if not options["disable_content_trust"]:
        raise UsageError("--disable-content-trust=false is not supported: no signature is checked")
    if options["hostname"]:
        spec.parse_hostname(options["hostname"])
    lock = _lockfile(options)
    request = CreateRequest(
        image=options["image"] if lock is None else lock.pinned(options["image"]),
        args=options["args"],
        name=options["name"],
        entrypoint=_entrypoint(options["entrypoint"]),
        env=environment(options["env_file"], options["env"]),
        user=options["user"],
        working_dir=options["workdir"],
        hostname=options["hostname"],
        labels=tuple(_labels(options["label_file"], options["label"]).items()),
        group_add=options["group_add"],
        asked=_asked(options),
        tty=options["tty"],
        open_stdin=options["interactive"],
        mounts=_mounts(options),
        volumes_from=options["volumes_from"],
        ulimits=tuple(spec.parse_ulimit(text) for text in options["ulimit"]),
        read_only=options["read_only"],
        init=options["init"],
        auto_remove=options["rm"],
        interceptor=options["interceptor"],
        platform=options["platform"],
        stop_signal=options["stop_signal"],
        network=network_of(options),
        policy=policy_of(options, detached=options.get("detach", True)),
        security=security_of(options),
        namespaces=namespaces_of(options),
    )
    flags = (options["cidfile"], options["pull"], options["trace"], options["quiet"])
    return request, Flags(*flags, lock)


def _lockfile(options: dict[str, Any]) -> Lockfile | None:
    if options["lockfile"] is None and not options["locked"]:
        return None
    from sandbox.engine.lockfile import chosen_lockfile

    return chosen_lockfile(options["lockfile"], strict=options["locked"])


def _labels(files: tuple[str, ...], flags: tuple[str, ...]) -> dict[str, str]:
    """Return the labels of --label-file and --label; a bare name has an empty value."""
    lines: list[str] = []
    for name in files:
        with (
            map_os_errors(f"cannot read {name}"),
            open(name, encoding="utf-8", errors="surrogateescape") as file,
        ):
            lines += spec.parse_label_file(file.read(), name=name)
    return spec.parse_labels((*lines, *flags))


def _asked(options: dict[str, Any]) -> dict[str, Any]:
    """Return the options without effect, which only inspect shows."""
    host: dict[str, Any] = {}
    if "sysctl" in options:  # the usual command lines have none of these
        from sandbox.cli.idle_flags import idle_fields

        host = idle_fields(options, quiet=options["quiet"])
    if options["annotation"]:
        host["Annotations"] = _annotations(options["annotation"])
    if options["group_add"]:
        host["GroupAdd"] = list(options["group_add"])
    if options["device"]:
        names = ("PathOnHost", "PathInContainer", "CgroupPermissions")
        split = (mounts.split_device(text) for text in options["device"])
        host["Devices"] = [dict(zip(names, parts, strict=True)) for parts in split]
    if options["shm_size"]:
        from sandbox.models.policy import parse_bytes

        host["ShmSize"] = parse_bytes(options["shm_size"])
        warn("the size of /dev/shm is not limited", quiet=options["quiet"])
    streams = check_streams(options.get("attach", ()))
    config = {f"Attach{name.title()}": name in streams for name in STREAMS} if streams else {}
    return {key: part for key, part in (("HostConfig", host), ("Config", config)) if part}


def _annotations(texts: tuple[str, ...]) -> dict[str, str]:
    pairs = [text.partition("=") for text in texts]
    for key, equals, value in pairs:
        if not (key and equals):
            raise UsageError(f"invalid annotation '{key}{equals}{value}': expected KEY=VALUE")
    return {key: value for key, _, value in pairs}


STREAMS = ("stdin", "stdout", "stderr")


def check_streams(names: tuple[str, ...]) -> frozenset[str]:
    """Return the streams of --attach, in lower case."""
    for name in names:
        if name.lower() not in STREAMS:
            raise UsageError(
                f'invalid argument "{name}" for "-a, --attach" flag: '
                "valid streams are STDIN, STDOUT and STDERR"
            )
    return frozenset(name.lower() for name in names)


def _check_driver(name: str | None) -> None:
    if name not in (None, "", "local"):
        raise UsageError(f"error looking up volume plugin {name}: plugin not found")


def _entrypoint(text: str | None) -> tuple[str, ...] | None:
    """Return --entrypoint; an empty one removes the image's."""
    return None if text is None else tuple(filter(None, [text]))


def _check_pull(policy: str) -> None:
    if policy not in ("missing", "never", "always"):
        raise UsageError(
            f"invalid pull option: '{policy}': must be one of always, missing or never"
        )


def _mounts(options: dict[str, Any]) -> tuple[MountPoint, ...]:
    cwd = os.getcwd()
    volumes = [mounts.parse_volume(text, cwd) for text in options["volume"]]
    for volume in volumes:
        # Docker makes the directory for -v, but not for --mount.
        with map_os_errors(f"cannot create {volume.source}"):
            if volume.type == "bind" and not os.path.lexists(volume.source):
                os.makedirs(volume.source, exist_ok=True)
    others = [mounts.parse_mount(text, cwd) for text in options["mount"]]
    others += [mounts.parse_tmpfs(text) for text in options["tmpfs"]]
    others += [mounts.parse_device(text) for text in options["device"]]
    for mount in others:
        if mount.type == "bind" and not os.path.exists(mount.source):
            raise RuntimeFailed(
                'invalid mount config for type "bind": '
                f"bind source path does not exist: {mount.source}"
            )
    if any(mount.size is not None for mount in others):
        warn("the size of a tmpfs is not limited", quiet=options["quiet"])
    idle = [option for text in options["tmpfs"] for option in mounts.idle_tmpfs_options(text)]
    for option in dict.fromkeys(idle):
        if option != "size":
            warn(f"{option} of a tmpfs has no effect", quiet=options["quiet"])
    named = [mount for mount in volumes if not mount.anonymous]
    found = mounts.check_duplicates([*named, *others])
    taken = {mount.target for mount in found}
    # As in Docker, any other mount at the same target replaces an anonymous volume.
    plain = {mount.target: mount for mount in volumes if mount.target not in taken}
    return (*found, *plain.values())


def _check_cidfile(path: str | None) -> None:
    if path and os.path.lexists(path):
        raise UsageError(
            f"container ID file found, make sure the other container isn't running or delete {path}"
        )


def write_cidfile(path: str | None, container: Container) -> None:
    """Write the id of a new container to *path*, if it is given."""
    if path:
        with map_os_errors(f"failed to create the container ID file {path}"):
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
            with open(fd, "w", encoding="ascii") as file:
                file.write(container.config.id)
