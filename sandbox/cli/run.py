"""``run``, ``create`` and ``start``.

Does not know: how a container is made or supervised; it turns flags into a request.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import click

from sandbox.cli.completion import complete_containers, complete_images
from sandbox.engine.creation import CreateRequest
from sandbox.errors import ImageNotFound, RuntimeFailed, UsageError, map_os_errors
from sandbox.runtime import mounts, spec

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.engine import Engine
    from sandbox.models.container import Container, MountPoint

_T = TypeVar("_T")

_OPTIONS: tuple[tuple[tuple[str, ...], dict[str, Any]], ...] = (
    (("-i", "--interactive"), {"is_flag": True, "help": "Keep standard input attached."}),
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
            "metavar": "SRC:DST[:ro]",
            "help": "Show a directory or file of the host.",
        },
    ),
    (("--mount",), {"multiple": True, "metavar": "type=bind|tmpfs,...", "help": "Attach a mount."}),
    (
        ("--tmpfs",),
        {"multiple": True, "metavar": "DIR[:OPTIONS]", "help": "Put an empty directory in memory."},
    ),
    (("--read-only",), {"is_flag": True, "help": "Make the root file system read-only."}),
    (("-l", "--label"), {"multiple": True, "metavar": "KEY[=VALUE]", "help": "Attach a label."}),
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
            "help": "When to pull the image.",
            "show_default": True,
        },
    ),
    (("-q", "--quiet"), {"is_flag": True, "help": "Show no progress of a pull."}),
    (("--platform",), {"metavar": "OS/ARCH", "help": "Require this platform."}),
    (("--stop-signal",), {"metavar": "SIGNAL", "help": "Signal that asks it to stop."}),
    (
        ("--interceptor",),
        {
            "metavar": "auto|trap",
            "default": "auto",
            "help": "How system calls are caught.",
            "show_default": True,
        },
    ),
    (
        ("--trace",),
        {"is_flag": True, "help": "Show every call that is intercepted, on standard error."},
    ),
)

_SETTINGS = {"allow_interspersed_args": False, "help_option_names": ["--help"]}


def _container_options(command: Any) -> Any:
    """Add the flags that `run` and `create` share, and IMAGE [COMMAND] [ARG...]."""
    command = click.argument(
        "args", nargs=-1, type=click.UNPROCESSED, metavar="[COMMAND] [ARG...]"
    )(command)
    command = click.argument("image", metavar="IMAGE", shell_complete=complete_images)(command)
    for names, settings in reversed(_OPTIONS):
        command = click.option(*names, **settings)(command)
    return command


@dataclass(frozen=True, slots=True)
class _Flags:
    """The flags that are no part of the container's configuration."""

    cidfile: str | None
    pull: str
    trace: bool
    quiet: bool


@click.command(context_settings=_SETTINGS, options_metavar="[OPTIONS]")
@_container_options
def run(**options: Any) -> int:
    """Create and run a new container from an image.

    What follows IMAGE belongs to the program in the container. The exit code is the
    program's own; 125 if the container could not be started, 126 if the command is
    not executable, 127 if it was not found, 128+N after signal N.

    \b
    Examples:
      sandbox run --rm -it debian bash
      sandbox run --rm -v ./src:/src -w /src gcc make
      sandbox run --rm host apt-get update   (this machine's own files, unharmed)
    """  # noqa: D301 - \b keeps click from filling the paragraph
    from sandbox.runtime.process import Attachment

    request, flags = _request(options)
    problem = spec.tty_conflict(
        tty=request.tty, attach_stdin=request.open_stdin, stdin_is_tty=os.isatty(0)
    )
    if problem is not None:
        click.echo(f"sandbox: {problem}", err=True)
        return 1
    engine = _engine()
    return _with_image(
        request,
        flags,
        lambda: engine.run(
            request,
            Attachment(stdin=request.open_stdin, trace=flags.trace),
            on_create=lambda container: _write_cidfile(flags.cidfile, container),
        ),
    )


@click.command(context_settings=_SETTINGS, options_metavar="[OPTIONS]")
@_container_options
def create(**options: Any) -> None:
    """Create a new container without starting it, and print its id."""
    request, flags = _request(options)
    engine = _engine()
    container = _with_image(request, flags, lambda: engine.create(request))
    _write_cidfile(flags.cidfile, container)
    click.echo(container.config.id)


@click.command(options_metavar="[OPTIONS]")
@click.option("-a", "--attach", is_flag=True, help="Stay attached (always done).")
@click.option("-i", "--interactive", is_flag=True, help="Attach standard input.")
@click.option("--trace", is_flag=True, help="Show intercepted calls on stderr.")
@click.argument("container", shell_complete=complete_containers)
def start(*, attach: bool, interactive: bool, trace: bool, container: str) -> int:
    """Run a container that exists, from where its files are now.

    It runs in the foreground; the exit code is as for 'run'.
    """
    from sandbox.runtime.process import Attachment

    del attach
    return _engine().start(container, Attachment(stdin=interactive, trace=trace))


def _engine() -> Engine:
    from sandbox.engine import Engine

    return Engine()


def _request(options: dict[str, Any]) -> tuple[CreateRequest, _Flags]:
    _check_pull(options["pull"])
    _check_cidfile(options["cidfile"])
    if options["hostname"]:
        spec.parse_hostname(options["hostname"])
    request = CreateRequest(
        image=options["image"],
        args=options["args"],
        name=options["name"],
        entrypoint=options["entrypoint"],
        env=_environment(options["env_file"], options["env"]),
        user=options["user"],
        working_dir=options["workdir"],
        hostname=options["hostname"],
        labels=tuple(spec.parse_labels(options["label"]).items()),
        tty=options["tty"],
        open_stdin=options["interactive"],
        mounts=_mounts(options),
        ulimits=tuple(spec.parse_ulimit(text) for text in options["ulimit"]),
        read_only=options["read_only"],
        init=options["init"],
        auto_remove=options["rm"],
        interceptor=options["interceptor"],
        platform=options["platform"],
        stop_signal=options["stop_signal"],
    )
    return request, _Flags(options["cidfile"], options["pull"], options["trace"], options["quiet"])


def _check_pull(policy: str) -> None:
    if policy not in ("missing", "never", "always"):
        raise UsageError(
            f"invalid pull option: '{policy}': must be one of always, missing or never"
        )


def _with_image(request: CreateRequest, flags: _Flags, act: Callable[[], _T]) -> _T:
    """Do *act*, which needs the image, after or before pulling it as the user wants."""
    from sandbox.engine.transfers import can_pull, is_offline

    if flags.pull == "always" and can_pull(request.image):
        _pull(request, flags)
        return act()
    try:
        return act()
    except ImageNotFound as exc:
        if flags.pull == "never" or is_offline() or not can_pull(request.image):
            raise
        if not flags.quiet:
            text = exc.message.partition(" (")[0]
            click.echo(f"{text[:1].upper()}{text[1:]}", err=True)
    _pull(request, flags)
    return act()


def _pull(request: CreateRequest, flags: _Flags) -> None:
    from sandbox.cli.registries import pull_for_run

    pull_for_run(request.image, request.platform, quiet=flags.quiet)


def _environment(files: tuple[str, ...], flags: tuple[str, ...]) -> tuple[str, ...]:
    entries: list[str] = []
    for name in files:
        with (
            map_os_errors(f"cannot read {name}"),
            open(name, encoding="utf-8", errors="surrogateescape") as file,
        ):
            entries += spec.parse_env_file(file.read(), os.environ, name=name)
    entries += spec.resolve_env_flags(flags, os.environ)
    return tuple(entries)


def _mounts(options: dict[str, Any]) -> tuple[MountPoint, ...]:
    cwd = os.getcwd()
    volumes = [mounts.parse_volume(text, cwd) for text in options["volume"]]
    for volume in volumes:
        # As Docker does for -v (and not for --mount).
        with map_os_errors(f"cannot create {volume.source}"):
            if not os.path.lexists(volume.source):
                os.makedirs(volume.source, exist_ok=True)
    others = [mounts.parse_mount(text, cwd) for text in options["mount"]]
    others += [mounts.parse_tmpfs(text) for text in options["tmpfs"]]
    for mount in others:
        if mount.type == "bind" and not os.path.exists(mount.source):
            raise RuntimeFailed(
                'invalid mount config for type "bind": '
                f"bind source path does not exist: {mount.source}"
            )
    if any(mount.size is not None for mount in others):
        click.echo("sandbox: warning: the size of a tmpfs is not limited", err=True)
    return mounts.check_duplicates([*volumes, *others])


def _check_cidfile(path: str | None) -> None:
    if path and os.path.lexists(path):
        raise UsageError(
            f"container ID file found, make sure the other container isn't running or delete {path}"
        )


def _write_cidfile(path: str | None, container: Container) -> None:
    if path:
        with map_os_errors(f"failed to create the container ID file {path}"):
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)
            with open(fd, "w", encoding="ascii") as file:
                file.write(container.config.id)
