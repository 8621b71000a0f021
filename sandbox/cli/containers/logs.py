# SPDX-License-Identifier: MIT
"""``logs``."""

from __future__ import annotations

import sys
import time

import click

from sandbox.cli.completion import complete_containers
from sandbox.errors import UsageError
from sandbox.models.timestamps import parse_moment


@click.command(options_metavar="[OPTIONS]")
@click.option("-f", "--follow", is_flag=True, help="Follow the output until the container ends.")
@click.option("--since", metavar="TIME", help="Show only later lines (10m, 2026-01-02T03:04:05).")
@click.option("--until", metavar="TIME", help="Show only earlier lines.")
@click.option("-n", "--tail", metavar="N", default="all", help="Show only the last N lines (all).")
@click.option("-t", "--timestamps", is_flag=True, help="Show the time of each line.")
@click.option("--details", is_flag=True, help="No effect: there are no extra attributes.")
@click.argument("container", shell_complete=complete_containers)
def logs(
    *,
    follow: bool,
    since: str | None,
    until: str | None,
    tail: str,
    timestamps: bool,
    details: bool,
    container: str,
) -> None:
    """Show the output of a container."""
    from sandbox.engine import Engine
    from sandbox.runtime.logs.reader import Span
    from sandbox.runtime.logs.writer import stamp

    now = time.time()
    span = Span(
        since=stamp(int(parse_moment(since, now) * 10**9)) if since else "",
        until=stamp(int(parse_moment(until, now) * 10**9)) if until else "",
        tail=_tail(tail),
    )
    for line in Engine().containers.logs(container, span, follow=follow):
        stream = sys.stderr if line.stream == "stderr" else sys.stdout
        prefix = f"{line.time} " if timestamps else ""
        stream.write(prefix + (" " if details else "") + line.text)
        if follow:
            stream.flush()


def _tail(text: str) -> int | None:
    if text == "all":
        return None
    try:
        count = int(text)
    except ValueError:
        raise UsageError(f"invalid value for --tail: {text}") from None
    return None if count < 0 else count
