# SPDX-License-Identifier: MIT
"""The command ``sandbox``: find a subcommand, run it, and report any error.

Rules: the usual command lines of `run` and `exec` need no click (`quick_commands`), and its
import is a third of their time. Click parses all others (`commands`). Only these files turn
exceptions into text and exit codes:

====================  ==========================================================
mistake of the user   one line on standard error; 125 for run and create, and for
                      a wrong flag, otherwise 1
interrupt             130
bug of sandbox        one line, which names a file with the traceback; 3
====================  ==========================================================

Does not know: what any subcommand does.
"""

from __future__ import annotations

import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, NoReturn

from sandbox.cli import quick_commands, stdio
from sandbox.errors import SandboxError
from sandbox.models.lean_imports import import_msgspec

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

EXIT_INTERRUPTED = 130
EXIT_BUG = 3
_EXIT_RUN = 125

# These commands exit with Docker's 125 after every failure before the program starts.
_RUN_COMMANDS = frozenset({"run", "create", "trace"})


def main(args: Sequence[str] | None = None) -> int:
    """Run the command line and return the exit code."""
    argv = list(sys.argv[1:] if args is None else args)
    _make_output_transparent()
    if not argv:
        argv = ["--help"]
    try:
        code = _execute(argv)
        _flush()
        return code
    except SandboxError as exc:
        return _report(exc, _subcommand(argv), debug="--debug" in argv or "-D" in argv)
    except (KeyboardInterrupt, EOFError):
        return EXIT_INTERRUPTED
    except BrokenPipeError:
        stdio.abandon_output()
        return 1
    except Exception as exc:  # noqa: BLE001 - the one place for bugs
        return _report_bug(exc)


def _execute(argv: list[str]) -> int:
    action = quick_commands.find(argv)
    if action is not None:
        return action()
    from sandbox.cli import commands

    return commands.execute(argv)


def program(at_end: Callable[[], None] | None = None) -> NoReturn:
    """Run the command and end the process; call *at_end* before.

    The exit handlers run, and then the process ends without the interpreter's own shutdown,
    which would take as long as a fifth of `run`.
    """
    import atexit

    import_msgspec()
    stdio.prepare()
    code = main()
    threading = sys.modules.get("threading")
    if threading is None or threading.active_count() == 1:
        atexit._run_exitfuncs()
        with suppress(OSError, ValueError):  # a failed write is reported below
            for stream in filter(None, (sys.stdout, sys.stderr)):
                stream.flush()
            if at_end is not None:
                at_end()
            os._exit(code)
    sys.exit(code)


def _make_output_transparent() -> None:
    """Write names that are not UTF-8 unchanged."""
    for stream in (sys.stdout, sys.stderr):
        reconfigure = getattr(stream, "reconfigure", None)
        if reconfigure is not None:
            reconfigure(errors="surrogateescape")


def _subcommand(argv: Sequence[str]) -> str:
    """Return the verb, without the word 'container' before it."""
    words = [arg for arg in argv if not arg.startswith("-")]
    return next((word for word in words if word != "container"), "")


def _report(exc: SandboxError, command: str, *, debug: bool) -> int:
    if debug:
        import traceback

        traceback.print_exception(exc)
    from sandbox.cli.output.format import visible

    stdio.tell(f"sandbox: {visible(exc.message, keep=chr(10))}")
    if command in _RUN_COMMANDS and exc.exit_code not in (126, 127):
        return _EXIT_RUN
    return exc.exit_code


def _report_bug(exc: BaseException) -> int:
    import tempfile
    import traceback

    handle, path = tempfile.mkstemp(prefix="sandbox-error-", suffix=".log")
    with open(handle, "w", encoding="utf-8", errors="backslashreplace") as file:
        file.write(f"arguments: {sys.argv[1:]!r}\n")
        traceback.print_exception(exc, file=file)
    stdio.tell(f"sandbox: internal error: {exc!r}; details are in {path}")
    return EXIT_BUG


def _flush() -> None:
    sys.stdout.flush()
