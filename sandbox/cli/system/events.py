# SPDX-License-Identifier: MIT
"""``events``."""

from __future__ import annotations

import sys
import time
from typing import Any

import click

from sandbox.cli.common_flags import filter_option
from sandbox.cli.output.format import emit, render_objects, visible
from sandbox.errors import UsageError
from sandbox.models.filters import event_filter
from sandbox.models.timestamps import parse_moment


@click.command(options_metavar="[OPTIONS]")
@click.option("--since", metavar="TIME", help="Show events since this time.")
@click.option("--until", metavar="TIME", help="Stop at this time.")
@filter_option("type, event, container, image, volume, label")
@click.option("--format", "template", metavar="TEMPLATE", help="'json' or a Go template.")
def events(
    *, since: str | None, until: str | None, filters: tuple[str, ...], template: str | None
) -> None:
    """Show events of containers, images, networks and volumes as they happen."""
    from sandbox.cli.inspect import as_go
    from sandbox.engine import Engine

    now = time.time()
    first = parse_moment(since, now) if since else now
    last = parse_moment(until, now) if until else None
    if since and last is not None and first > last:
        raise UsageError(f"`since` time ({since}) cannot be after `until` time ({until})")
    wanted = event_filter(filters)
    render_objects([], template)  # report a malformed template before the first event
    for event in Engine().system.events(since=first, until=last):
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
