# SPDX-License-Identifier: MIT
"""Start, stop and the like: verbs for containers that run by themselves."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import click

from sandbox.cli.completion import complete_containers
from sandbox.cli.output.format import emit
from sandbox.errors import Detached, SandboxError, UsageError

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.engine import Engine

_CONTAINERS = click.argument(
    "containers",
    nargs=-1,
    required=True,
    metavar="CONTAINER...",
    shell_complete=complete_containers,
)
_CONTAINER = click.argument("container", shell_complete=complete_containers)
_KEYS = click.option("--detach-keys", metavar="KEYS", help="Keys that detach (ctrl-p,ctrl-q).")
_PROXY = click.option("--sig-proxy/--no-sig-proxy", default=True, help="Pass signals on (true).")
_SIGNAL = click.option(
    "-s", "--signal", "signal_name", metavar="SIGNAL", help="Signal to send (its own, or TERM)."
)
_TIME = click.option(
    "-t",
    "--time",
    "--timeout",
    "timeout",
    type=int,
    metavar="SECONDS",
    help="Wait so long before it is killed (its own, or 10).",
)


def _engine() -> Engine:
    from sandbox.engine import Engine

    return Engine()


def each(names: tuple[str, ...], act: Callable[[str], object]) -> int:
    """Do *act* for each name and print the name, or what went wrong."""
    code = 0
    for name in names:
        try:
            result = act(name)
        except SandboxError as exc:
            click.echo(f"sandbox: {exc.message}", err=True)
            code = 1
            continue
        emit(str(result) if isinstance(result, int) else name)
    return code


@click.command(options_metavar="[OPTIONS]")
@click.option("-a", "--attach", "stay", is_flag=True, help="Show output and pass signals on.")
@click.option("-i", "--interactive", is_flag=True, help="Attach standard input.")
@_KEYS
@click.option(
    "--trace", is_flag=True, help="Show every call that is intercepted, on standard error."
)
@_CONTAINERS
def start(
    *,
    stay: bool,
    interactive: bool,
    detach_keys: str | None,
    trace: bool,
    containers: tuple[str, ...],
) -> int:
    """Start containers that exist, with their files as they were left."""
    engine = _engine()
    if trace:
        from sandbox.runtime.process.start import Attachment

        return engine.start(containers[0], Attachment(stdin=interactive, trace=True))
    if not (stay or interactive):
        return each(containers, engine.start_container)
    if len(containers) > 1:
        raise UsageError("you cannot start and attach multiple containers at once")
    from sandbox.runtime.attach import Wishes, chosen_keys

    config = engine.container(containers[0]).config
    wishes = Wishes(
        stdin=interactive and config.open_stdin,
        tty=config.tty,
        keys=chosen_keys(detach_keys),
        proxy=not config.tty,
    )
    _need_terminal(config.tty and wishes.stdin)
    return engine.start_container(containers[0], wishes) or 0


@click.command(options_metavar="[OPTIONS]")
@_KEYS
@click.option("--no-stdin", is_flag=True, help="Leave standard input alone.")
@_PROXY
@_CONTAINER
def attach(*, detach_keys: str | None, no_stdin: bool, sig_proxy: bool, container: str) -> int:
    """Join the input and output of a running container.

    Ends with the container, with its exit code; or after the detach keys, with 1, and
    the container goes on.
    """
    from sandbox.runtime.attach import Wishes, chosen_keys

    engine = _engine()
    config = engine.container(container).config
    _need_terminal(config.tty and config.open_stdin and not no_stdin)
    wishes = Wishes(
        stdin=not no_stdin, keys=chosen_keys(detach_keys), proxy=sig_proxy and not config.tty
    )
    code = engine.attach(container, wishes)
    if code is None:
        raise Detached
    return code


def _need_terminal(needed: bool) -> None:
    if needed and not os.isatty(0):
        raise UsageError("the input device is not a TTY")


@click.command(options_metavar="[OPTIONS]")
@_SIGNAL
@_TIME
@_CONTAINERS
def stop(*, signal_name: str | None, timeout: int | None, containers: tuple[str, ...]) -> int:
    """Ask containers to end, and kill those that do not in time."""
    engine = _engine()
    return each(
        containers, lambda name: engine.stop(name, signal_name=signal_name, timeout=timeout)
    )


@click.command(options_metavar="[OPTIONS]")
@_SIGNAL
@_TIME
@_CONTAINERS
def restart(*, signal_name: str | None, timeout: int | None, containers: tuple[str, ...]) -> int:
    """Stop containers, if they run, and start them."""
    engine = _engine()
    return each(
        containers, lambda name: engine.restart(name, signal_name=signal_name, timeout=timeout)
    )


@click.command(options_metavar="[OPTIONS]")
@click.option(
    "-s", "--signal", "signal_name", metavar="SIGNAL", default="KILL", help="Signal to send (KILL)."
)
@_CONTAINERS
def kill(*, signal_name: str, containers: tuple[str, ...]) -> int:
    """Send a signal to the main process of containers."""
    engine = _engine()
    return each(containers, lambda name: engine.kill(name, signal_name))


@click.command()
@_CONTAINERS
def pause(*, containers: tuple[str, ...]) -> int:
    """Stop all processes of containers where they are."""
    return each(containers, _engine().pause)


@click.command()
@_CONTAINERS
def unpause(*, containers: tuple[str, ...]) -> int:
    """Let paused containers go on."""
    return each(containers, _engine().unpause)


@click.command()
@_CONTAINERS
def wait(*, containers: tuple[str, ...]) -> int:
    """Wait until containers end and print their exit codes."""
    return each(containers, _engine().wait)


@click.command()
@_CONTAINER
@click.argument("new_name")
def rename(*, container: str, new_name: str) -> None:
    """Give a container another name."""
    _engine().rename(container, new_name)


@click.command(options_metavar="[OPTIONS]")
@click.option("--restart", "restart_policy", metavar="POLICY", help="When to start it again.")
@click.option("-m", "--memory", metavar="BYTES", help="Kill it when it uses more; 0: no limit.")
@click.option("--cpus", type=float, metavar="N", help="How many CPUs' time it may use; 0: all.")
@click.option("--cpu-quota", type=int, metavar="MICROSECONDS", help="CPU time in each period.")
@click.option("--cpu-period", type=int, metavar="MICROSECONDS", help="A period (100000).")
@click.option("--pids-limit", type=int, metavar="N", help="Most tasks at once; -1: no limit.")
@_CONTAINERS
def update(
    *,
    restart_policy: str | None,
    memory: str | None,
    cpus: float | None,
    cpu_quota: int | None,
    cpu_period: int | None,
    pids_limit: int | None,
    containers: tuple[str, ...],
) -> int:
    """Change the restart policy and the limits of containers.

    A limit of tasks can be changed while the container runs if it was started with one.
    """
    from sandbox.cli.containers.lifecycle_flags import share_of
    from sandbox.models.policy import parse_memory, parse_restart

    changes: dict[str, Any] = {}
    if restart_policy is not None:
        changes["restart"], changes["restart_max"] = parse_restart(restart_policy)
    if memory is not None:
        changes["memory"] = parse_memory(memory)
    if cpus is not None or cpu_quota is not None:
        changes["cpus"] = share_of(cpus, cpu_quota, cpu_period)
    elif cpu_period is not None:
        raise UsageError("--cpu-period needs --cpu-quota")
    if pids_limit is not None:
        changes["pids_limit"] = max(0, pids_limit)
    if not changes:
        raise UsageError("you must provide one or more flags when using this command")
    engine = _engine()
    return each(containers, lambda name: engine.update(name, **changes))
