# SPDX-License-Identifier: MIT
"""``start``, ``stop``, ``restart``, ``kill``, ``pause``, ``unpause`` and ``rename``."""

from __future__ import annotations

import click

from sandbox.cli.containers.arguments import CONTAINER, CONTAINERS, DETACH_KEYS
from sandbox.cli.containers.attach import need_terminal
from sandbox.cli.for_each import each
from sandbox.cli.open_engine import open_engine, open_to_start
from sandbox.errors import UsageError

_SIGNAL = click.option(
    "-s",
    "--signal",
    "signal_name",
    metavar="SIGNAL",
    help="Signal to send (default: STOPSIGNAL, or TERM).",
)
_TIME = click.option(
    "-t",
    "--time",
    "--timeout",
    "timeout",
    type=int,
    metavar="SECONDS",
    help="Seconds before it is killed (default: its own, or 10).",
)


@click.command(options_metavar="[OPTIONS]")
@click.option("-a", "--attach", "stay", is_flag=True, help="Attach output and forward signals.")
@click.option("-i", "--interactive", is_flag=True, help="Attach standard input.")
@DETACH_KEYS
@click.option("--trace", is_flag=True, help="Show each intercepted call on standard error.")
@CONTAINERS
def start(
    *,
    stay: bool,
    interactive: bool,
    detach_keys: str | None,
    trace: bool,
    containers: tuple[str, ...],
) -> int:
    """Start existing containers; their files are unchanged since the last run."""
    engine = open_to_start()
    if trace:
        from sandbox.runtime.process.start import Attachment

        return engine.containers.start_in_foreground(
            containers[0], Attachment(stdin=interactive, trace=True)
        )
    if not (stay or interactive):
        return each(containers, engine.containers.start)
    if len(containers) > 1:
        raise UsageError("you cannot start and attach multiple containers at once")
    from sandbox.runtime.attach import Wishes, chosen_keys

    config = engine.containers.get(containers[0]).config
    wishes = Wishes(
        stdin=interactive and config.open_stdin,
        tty=config.tty,
        keys=chosen_keys(detach_keys),
        proxy=not config.tty,
    )
    need_terminal(config.tty and wishes.stdin)
    return engine.containers.start(containers[0], wishes) or 0


@click.command(options_metavar="[OPTIONS]")
@_SIGNAL
@_TIME
@CONTAINERS
def stop(*, signal_name: str | None, timeout: int | None, containers: tuple[str, ...]) -> int:
    """Stop containers: send the stop signal, and kill them after the timeout."""
    engine = open_engine()
    return each(
        containers,
        lambda name: engine.containers.stop(name, signal_name=signal_name, timeout=timeout),
    )


@click.command(options_metavar="[OPTIONS]")
@_SIGNAL
@_TIME
@CONTAINERS
def restart(*, signal_name: str | None, timeout: int | None, containers: tuple[str, ...]) -> int:
    """Stop containers, if they run, and start them."""
    engine = open_engine()
    return each(
        containers,
        lambda name: engine.containers.restart(name, signal_name=signal_name, timeout=timeout),
    )


@click.command(options_metavar="[OPTIONS]")
@click.option(
    "-s", "--signal", "signal_name", metavar="SIGNAL", default="KILL", help="Signal to send (KILL)."
)
@CONTAINERS
def kill(*, signal_name: str, containers: tuple[str, ...]) -> int:
    """Send a signal to the main process of containers."""
    engine = open_engine()
    return each(containers, lambda name: engine.containers.kill(name, signal_name))


@click.command()
@CONTAINERS
def pause(*, containers: tuple[str, ...]) -> int:
    """Pause all processes of containers."""
    return each(containers, open_engine().containers.pause)


@click.command()
@CONTAINERS
def unpause(*, containers: tuple[str, ...]) -> int:
    """Let paused containers continue."""
    return each(containers, open_engine().containers.unpause)


@click.command()
@CONTAINER
@click.argument("new_name")
def rename(*, container: str, new_name: str) -> None:
    """Give a container another name."""
    open_engine().containers.rename(container, new_name)
