# SPDX-License-Identifier: MIT
"""The options of `exec`, and what it does with them.

Rules: no click here; the usual command lines are run without it (`quick_words`).
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

from sandbox.cli.containers.environment_flags import environment
from sandbox.cli.stdio import tell
from sandbox.errors import UsageError
from sandbox.runtime import spec

if TYPE_CHECKING:
    from sandbox.cli.quick_words import Table

EXEC_OPTIONS: Table = (
    (("-d", "--detach"), {"is_flag": True, "help": "Run in the background."}),
    (("--detach-keys",), {"metavar": "KEYS", "help": "Keys that detach (ctrl-p,ctrl-q)."}),
    (("-i", "--interactive"), {"is_flag": True, "help": "Keep standard input attached."}),
    (("-t", "--tty"), {"is_flag": True, "help": "Allocate a terminal."}),
    (("-e", "--env"), {"multiple": True, "metavar": "NAME[=VALUE]", "help": "Set a variable."}),
    (("--env-file",), {"multiple": True, "metavar": "FILE", "help": "Read variables from a file."}),
    (("--privileged",), {"is_flag": True, "help": "Give it all capabilities of an emulated root."}),
    (("-u", "--user"), {"metavar": "NAME|UID[:GROUP|GID]", "help": "User to run as."}),
    (("-w", "--workdir"), {"metavar": "DIR", "help": "Working directory."}),
)


def exec_(options: dict[str, Any]) -> int:
    """Run a command in a running container; return its exit code."""
    from sandbox.engine import Engine
    from sandbox.runtime.exec.exec_process import ExecRequest

    stdin = options["interactive"] and not options["detach"]
    problem = spec.tty_conflict(
        tty=options["tty"] and not options["detach"], attach_stdin=stdin, stdin_is_tty=os.isatty(0)
    )
    if problem is not None:
        raise UsageError(problem)
    request = ExecRequest(
        args=tuple(options["args"]),
        env=environment(options["env_file"], options["env"]),
        user=options["user"],
        working_dir=options["workdir"],
        tty=options["tty"],
        stdin=stdin,
        privileged=options["privileged"],
    )
    keys = b""
    if options["tty"] and stdin:
        from sandbox.runtime.attach import chosen_keys

        keys = chosen_keys(options["detach_keys"])
    return Engine().containers.exec(
        options["container"], request, detach=options["detach"], keys=keys, warn=_warn
    )


def _warn(text: str) -> None:
    tell(f"sandbox: warning: {text}")
