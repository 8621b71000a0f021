# SPDX-License-Identifier: MIT
"""``logs`` and ``events``."""

from __future__ import annotations

import sys
import time
from typing import Any

import click

from sandbox.cli.common_flags import filter_option
from sandbox.cli.completion import complete_containers
from sandbox.cli.output.format import emit, render_objects, visible
from sandbox.errors import UsageError
from sandbox.models.filters import event_filter
from sandbox.models.timestamps import parse_moment


@click.command(options_metavar="[OPTIONS]")
@click.option("-f", "--follow", is_flag=True, help="Go on until the container ends.")
@click.option("--since", metavar="TIME", help="Only later ones (10m, 2026-01-02T03:04:05).")
@click.option("--until", metavar="TIME", help="Only earlier ones.")
@click.option("-n", "--tail", metavar="N", default="all", help="Only the last N lines (all).")
@click.option("-t", "--timestamps", is_flag=True, help="Show when it was said.")
@click.option("--details", is_flag=True, help="Show extra attributes (there are none).")
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
    """Show what a container said on standard output and error."""
    from sandbox.engine import Engine
    from sandbox.runtime.logs.reader import Span
    from sandbox.runtime.logs.writer import stamp

    now = time.time()
    span = Span(
        since=stamp(int(parse_moment(since, now) * 10**9)) if since else "",
        until=stamp(int(parse_moment(until, now) * 10**9)) if until else "",
        tail=_tail(tail),
    )
    for line in Engine().logs(container, span, follow=follow):
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


@click.command(options_metavar="[OPTIONS]")
@click.option("--since", metavar="TIME", help="Show those since then.")
@click.option("--until", metavar="TIME", help="End there.")
@filter_option("type, event, container, image, volume, label")
@click.option("--format", "template", metavar="TEMPLATE", help="'json' or a Go template.")
def events(
    *, since: str | None, until: str | None, filters: tuple[str, ...], template: str | None
) -> None:
    """Show what happens to containers, volumes and images, as it happens."""
    from sandbox.cli.inspect import as_go
    from sandbox.engine import Engine

    now = time.time()
    first = parse_moment(since, now) if since else now
    last = parse_moment(until, now) if until else None
    if since and last is not None and first > last:
        raise UsageError(f"`since` time ({since}) cannot be after `until` time ({until})")
    wanted = event_filter(filters)
    render_objects([], template)  # a template that is none is told before the first event
    for event in Engine().events(since=first, until=last):
        if wanted(event):
            shown = event if template == "json" else as_go(event)
            is_plain = template is None
            emit(visible(_event_line(event)) if is_plain else render_objects([shown], template))
            sys.stdout.flush()


def _event_line(event: dict[str, Any]) -> str:
    from sandbox.runtime.logs.writer import stamp

    actor = event["Actor"]
    pairs = ", ".join(f"{key}={value}" for key, value in sorted(actor["Attributes"].items()))
    more = f" ({pairs})" if pairs else ""
    return f"{stamp(event['timeNano'])} {event['Type']} {event['Action']} {actor['ID']}{more}"
