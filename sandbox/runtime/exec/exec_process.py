# SPDX-License-Identifier: MIT
"""``exec``: start one more process in a running container.

How it works: the process is a child of the command that asks, or of a holder that outlives
the command, but not of the supervisor. It enters through the run directory like the main
process, so its output needs no relay. The container's process table lists it, and it ends
with the container.

Does not know: how a container is found.
"""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from sandbox.errors import Detached, RuntimeFailed
from sandbox.models.record import Record, replace
from sandbox.runtime import lifecycle
from sandbox.runtime.process import lookup
from sandbox.runtime.process.start import Attachment, FirstProcess
from sandbox.runtime.rundir import RunDir

if TYPE_CHECKING:
    import socket
    from collections.abc import Callable

    from sandbox.models.container import ContainerConfig
    from sandbox.runtime.terminal import Pty


class ExecRequest(Record, frozen=True, kw_only=True):
    """The options of ``exec``; absent ones are those of the main process."""

    args: tuple[str, ...]
    env: tuple[str, ...] = ()
    user: str | None = None
    working_dir: str | None = None
    tty: bool = False
    stdin: bool = False
    privileged: bool = False


def configure(config: ContainerConfig, request: ExecRequest) -> ContainerConfig:
    """Return the container's configuration with the requested process as its main process."""
    return replace(
        config,
        entrypoint=(),
        cmd=request.args,
        env=(*config.env, *request.env),
        user=config.user if request.user is None else request.user,
        working_dir=request.working_dir or config.working_dir,
        tty=request.tty,
    )


def run(
    config: ContainerConfig,
    run_dir: str,
    request: ExecRequest,
    *,
    keys: bytes = b"",
    on_end: Callable[[int], None] = lambda _: None,
) -> int:
    """Run the process to its end; call *on_end* with its exit code and return that.

    The process continues when this one is killed and, on a terminal, when the user types
    *keys*, which raises `Detached`. A holder then waits for its end.
    """
    process = prepared(config, run_dir, request)
    if request.tty:
        from sandbox.runtime import terminal
        from sandbox.runtime.exec import holder

        pty = terminal.open_pty(terminal.users_own())
        with _held(process, pty, run_dir, on_end) as connection:
            ended = holder.stay(connection, pty.master, stdin=request.stdin, keys=keys)
        if ended is None:
            raise Detached
        return ended
    attachment = Attachment(stdin=request.stdin)
    status = process.run(attachment, lambda _: check_present(run_dir), free=True)
    code = lifecycle.exit_code_of(status)
    on_end(code)
    return code


def leave(
    config: ContainerConfig, run_dir: str, request: ExecRequest, on_end: Callable[[int], None]
) -> None:
    """Start the process detached, on a terminal if it wants one, and return."""
    process = prepared(config, run_dir, request)
    if not request.tty:
        _held(process, None, run_dir, on_end).close()
        return
    from sandbox.runtime import terminal

    pty = terminal.open_pty(None)
    _held(process, pty, run_dir, on_end).close()
    os.close(pty.master)


def _held(
    process: FirstProcess, pty: Pty | None, run_dir: str, on_end: Callable[[int], None]
) -> socket.socket:
    from sandbox.runtime.exec import holder

    return holder.start(process, pty, on_start=lambda _: check_present(run_dir), on_end=on_end)


def prepared(config: ContainerConfig, run_dir: str, request: ExecRequest) -> FirstProcess:
    """Return the process, looked up in the container's tree and posted, but not started."""
    place = RunDir(run_dir)
    wanted = configure(config, request)
    entry = lookup.prepare_another(wanted, place.control, privileged=request.privileged)
    return FirstProcess(wanted, place, entry)


def check_present(run_dir: str) -> None:
    """Raise `RuntimeFailed` unless the container still runs."""
    if not os.path.exists(RunDir(run_dir).control):
        raise RuntimeFailed("the container has just ended")
