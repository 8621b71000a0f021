# SPDX-License-Identifier: MIT
"""Flags that verbs of many kinds have in common.

Does not know: what a verb does with them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Callable


def filter_option(keys: str, *, short: bool = True) -> Callable[[Any], Any]:
    """Return ``--filter KEY=VALUE`` (``-f``, if *short*) of a verb that knows these *keys*."""
    names = ("-f", "--filter") if short else ("--filter",)
    return click.option(
        *names,
        "filters",
        multiple=True,
        metavar="KEY=VALUE",
        help=f"Only those that match ({keys}).",
    )
