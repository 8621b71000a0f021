# SPDX-License-Identifier: MIT
"""Warn once for each store that the kernel's fence does not stand.

Does not know: what the fence is.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from sandbox.engine import Engine


def warn_once(engine: Engine) -> None:
    """Write a line to standard error at the first use of a store without a fence."""
    from sandbox.runtime.confinement import first_warning

    text = first_warning(engine.layout, os.environ)
    if text:
        click.echo(f"sandbox: warning: {text}", err=True)
