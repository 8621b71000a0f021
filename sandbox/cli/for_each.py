# SPDX-License-Identifier: MIT
"""Do the same for each name of the command line, and continue after an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from sandbox.cli.output.format import emit
from sandbox.errors import SandboxError

if TYPE_CHECKING:
    from collections.abc import Callable


def each(names: tuple[str, ...], act: Callable[[str], object]) -> int:
    """Do *act* for each name, and print the name or the error."""
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
