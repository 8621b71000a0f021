# SPDX-License-Identifier: MIT
"""The endpoints of ``exec``: create, start, resize, inspect."""

from __future__ import annotations

import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from sandbox.api.bodies import ExecBody, ExecStartBody
from sandbox.api.containers.exec_processes import Exec
from sandbox.api.containers.exec_streams import Pump
from sandbox.api.containers.lifecycle import size_of
from sandbox.api.errors import ApiError, BadRequest
from sandbox.api.streams.hijack import MULTIPLEXED, RAW, Gone, Hijacked, Silent, hijack
from sandbox.errors import Conflict, SandboxError
from sandbox.runtime import terminal
from sandbox.runtime.attach import chosen_keys
from sandbox.runtime.exec.exec_process import ExecRequest
from sandbox.runtime.supervisor import protocol

if TYPE_CHECKING:
    from aiohttp import web

    from sandbox.api.call import Call
from sandbox.api.streams.hijack import wait_for_head


async def create(call: Call) -> web.StreamResponse:
    """``POST /containers/{name}/exec``."""
    body = await call.body(ExecBody)
    command = (body.cmd,) if isinstance(body.cmd, str) else tuple(body.cmd or ())
    if not command or not command[0]:
        raise BadRequest("no exec command specified")
    if body.detach_keys:
        chosen_keys(body.detach_keys)
    container = await call.work.look(call.engine.streams.find_active, call.args["name"])
    size = tuple(body.console_size or ())
    item = Exec(
        id=secrets.token_hex(32),
        container=container,
        request=ExecRequest(
            args=command,
            env=tuple(body.env or ()),
            user=body.user or None,
            working_dir=body.working_dir or None,
            tty=bool(body.tty),
            stdin=bool(body.attach_stdin),
            privileged=bool(body.privileged),
        ),
        stdout=bool(body.attach_stdout),
        stderr=bool(body.attach_stderr),
        detach_keys=body.detach_keys or "",
        size=(size[0], size[1]) if len(size) == 2 else None,
    )
    call.state.execs.add(item)
    await call.work.look(call.engine.streams.tell_exec, container, item.id, "create", command)
    return call.json({"Id": item.id}, 201)


async def start(call: Call) -> web.StreamResponse:
    """``POST /exec/{id}/start``."""
    body = await call.body(ExecStartBody, empty=ExecStartBody())
    item = call.state.execs.find(call.args["id"])
    if item.claimed:
        raise Conflict(
            f"exec command {item.id} has already run"
            if item.ended.is_set()
            else f"exec command {item.id} is already running"
        )
    item.claimed = True  # before any await: two clients may ask at once
    try:
        container = await call.work.look(call.engine.streams.find_active, item.container.config.id)
    except SandboxError:
        item.claimed = False
        raise
    item.container = container
    if body.console_size and len(body.console_size) == 2:
        item.size = (body.console_size[0], body.console_size[1])
    await call.work.look(
        call.engine.streams.tell_exec, container, item.id, "start", item.request.args
    )
    if body.detach:
        null = [os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC) for _ in range(3)]
        item.request = _without_terminal(item.request)
        await call.state.execs.start(item, null, free=True)
        return call.empty(200)
    framed = not body.tty  # as in Docker, the start decides, whatever the process has
    content_type = MULTIPLEXED if framed and call.version >= (1, 42) else RAW
    connection = await hijack(call.request, content_type)
    await wait_for_head(connection, call.agent)
    try:
        await _run_exec(call, Pump(connection, item, framed=framed), connection)
    finally:
        await connection.finish()
    return Silent()


def _without_terminal(request: ExecRequest) -> ExecRequest:
    from sandbox.models.record import replace

    return replace(request, tty=False)


async def _run_exec(call: Call, pump: Pump, connection: Hijacked) -> None:
    item = pump.item
    fds = pump.open(chosen_keys(item.detach_keys or None))
    try:
        await call.state.execs.start(item, fds, free=False)
    except SandboxError as exc:
        pump.close()
        text = exc.message
        with suppress(Gone):
            told = f"OCI runtime exec failed: {text}\r\n".encode()
            await connection.write(protocol.frame(protocol.STDERR, told) if pump.framed else told)
        return
    await pump.run()
    if pump.was_left:
        await call.work.look(call.engine.streams.tell_exec_detach, item.container, item.id)
    if pump.goes_on:
        call.state.execs.keep(pump.read_on())


async def resize(call: Call) -> web.StreamResponse:
    """``POST /exec/{id}/resize``."""
    item = call.state.execs.find(call.args["id"])
    rows, columns = size_of(call)
    item.size = (rows, columns)
    if item.master is not None:
        terminal.set_size(item.master, rows, columns)
    elif not item.started:
        raise ApiError(400, f"exec process is not running: {item.id}")
    return call.empty(200)


async def inspect(call: Call) -> web.StreamResponse:
    """``GET /exec/{id}/json``."""
    item = call.state.execs.find(call.args["id"])
    request = item.request
    return call.json(
        {
            "ID": item.id,
            "Running": item.running,
            "ExitCode": item.exit_code,
            "ProcessConfig": {
                "tty": request.tty,
                "entrypoint": request.args[0],
                "arguments": list(request.args[1:]),
                "privileged": item.request.privileged,
                **({"user": request.user} if request.user else {}),
            },
            "OpenStdin": request.stdin,
            "OpenStderr": item.stderr,
            "OpenStdout": item.stdout,
            "CanRemove": False,
            "ContainerID": item.container.config.id,
            "DetachKeys": item.detach_keys,
            "Pid": item.pid if item.running else 0,
        }
    )
