# SPDX-License-Identifier: MIT
"""The image configuration of a finished stage, field by field as BuildKit writes it. Pure."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import msgspec

from sandbox.models import oci

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from sandbox.builder.stage_state import Row, State


def fill_times(rows: Sequence[Row]) -> list[Row]:
    """Return the rows, each with a time.

    A step without a layer has the time of the next new layer, or else of the last layer
    before it.
    """
    known: str | None = None
    missing = False
    for row in rows:
        if row.created is not None:
            known = row.created
            if missing:
                break
        else:
            missing = True
    filled = []
    missing = False
    for row in rows:
        if row.created is not None:
            known = row.created if missing else known
            filled.append(row)
        else:
            missing = True
            filled.append(replace(row, created=known))
    return filled


def image_document(
    state: State, *, labels: Mapping[str, str], epoch: str | None, now: str
) -> oci.ImageConfig:
    """Return the configuration of the stage's image; *epoch* is the time of all new rows."""
    config = state.config
    if labels:
        config = msgspec.structs.replace(config, labels={**(config.labels or {}), **labels})
    rows = fill_times([_dated(row, epoch) for row in state.history])
    times = [row.created for row in rows if row.created]
    return oci.ImageConfig(
        architecture=state.architecture,
        os=state.os,
        variant=state.variant,
        created=epoch or (times[-1] if times else now),
        author=state.author,
        config=config,
        rootfs=oci.RootFS("layers", [*state.layers]),
        history=[_history(row, now) for row in rows],
    )


def _dated(row: Row, epoch: str | None) -> Row:
    is_new = row.comment == "buildkit.dockerfile.v0" and row.created is None
    return replace(row, created=epoch) if is_new and epoch else row


def _history(row: Row, now: str) -> oci.History:
    return oci.History(
        created=row.created or now,
        created_by=row.created_by,
        author=row.author,
        comment=row.comment,
        empty_layer=row.empty,
    )
