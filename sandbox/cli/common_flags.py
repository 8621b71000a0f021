# SPDX-License-Identifier: MIT
"""Flags that many commands share.

Does not know: how a command uses them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable


def filter_option(keys: str, *, short: bool = True) -> Callable[[Any], Any]:
    """Return the option ``--filter KEY=VALUE`` (``-f`` if *short*) with these *keys*."""
    names = ("-f", "--filter") if short else ("--filter",)
    return click.option(
        *names,
        "filters",
        multiple=True,
        metavar="KEY=VALUE",
        help=f"Only those that match ({keys}).",
    )
