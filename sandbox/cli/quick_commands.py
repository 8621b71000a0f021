# SPDX-License-Identifier: MIT
"""The command lines that are run without click: those of `run` and `exec` that are usual.

Does not know: which options they have.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandbox.cli import quick_words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def find(argv: Sequence[str]) -> Callable[[], int] | None:
    """Return what *argv* asks for; None if click should parse it."""
    if not argv or "_SANDBOX_COMPLETE" in os.environ:
        return None
    finder = _FINDERS.get(argv[0])
    return None if finder is None else finder(argv[1:])


def _find_run(words: Sequence[str]) -> Callable[[], int] | None:
    from sandbox.cli.containers import run_container
    from sandbox.cli.containers.run_flags import RUN_OPTIONS

    parsed = quick_words.parse(RUN_OPTIONS, words)
    if parsed is None or not parsed[1]:
        return None
    options, (image, *args) = parsed
    return lambda: run_container.run({**options, "image": image, "args": tuple(args)})


def _find_exec(words: Sequence[str]) -> Callable[[], int] | None:
    from sandbox.cli.containers import exec_command

    parsed = quick_words.parse(exec_command.EXEC_OPTIONS, words)
    if parsed is None or len(parsed[1]) < 2:
        return None
    options, (container, *args) = parsed
    return lambda: exec_command.exec_({**options, "container": container, "args": tuple(args)})


_FINDERS = {"run": _find_run, "exec": _find_exec}
