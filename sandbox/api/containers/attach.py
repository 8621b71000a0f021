# SPDX-License-Identifier: MIT
"""Attach and exec: the endpoints whose connections stop being HTTP."""

from __future__ import annotations

import asyncio
import os
import secrets
from contextlib import suppress
from typing import TYPE_CHECKING

from aiohttp import web

from sandbox.api.bodies import ExecBody, ExecStartBody
from sandbox.api.containers.attach_streams import Client, relay
from sandbox.api.containers.exec_processes import Exec
from sandbox.api.containers.exec_streams import Pump
from sandbox.api.containers.lifecycle import size_of
from sandbox.api.errors import ApiError, BadRequest
from sandbox.api.streams.hijack import MULTIPLEXED, RAW, Gone, Hijacked, Silent, answer, hijack
from sandbox.errors import Conflict, SandboxError
from sandbox.runtime import terminal
from sandbox.runtime.attach import chosen_keys
from sandbox.runtime.exec.exec_process import ExecRequest
from sandbox.runtime.logs.reader import Span
from sandbox.runtime.supervisor import protocol

if TYPE_CHECKING:
    from sandbox.api.call import Call
    from sandbox.api.containers.attach_streams import Connection
    from sandbox.models.container import Container

# These libraries lose what arrives together with the answer's head (docker-py issue 3332).
_HASTY = ("docker-sdk-python", "tc-python", "testcontainers")


# ---- attach ---------------------------------------------------------------------------------


async def attach(call: Call) -> web.StreamResponse:
    """``POST /containers/{name}/attach``."""
    container = await _attachable(call)
    keys = _keys(call)
    past = await _past(call, container) if call.flag("logs") else []
    connection = Hijacked(call.request)
    client = _client(call, container, connection, tty=container.config.tty, keys=keys)
    waits = call.flag("stream") and not container.state.is_running
    if waits:  # before the client may know of it: its start may be the next request
        call.state.attachments.wait_for_start(container.config.id, client)
    try:
        content_type = RAW if client.tty or call.version < (1, 42) else MULTIPLEXED
        await call.work.look(call.engine.tell_attached, container)
        await answer(call.request, connection, content_type)
        await _grace(call, connection)
        await _attached(call, container, client, past)
        await _tell_left(call, container, client)
    finally:
        call.state.attachments.leave(container.config.id, client)
        await connection.finish()
    return Silent()


async def _tell_left(call: Call, container: Container, client: Client) -> None:
    if client.detached:
        await call.work.look(call.engine.tell_attached, container, "detach")


async def _grace(call: Call, connection: Hijacked) -> None:
    if call.agent.startswith(_HASTY):
        await connection.head_is_read()


async def _attachable(call: Call) -> Container:
    container = await call.work.look(call.engine.container, call.args["name"])
    status = container.state.status
    if status == "paused":
        raise Conflict(
            f"container {container.config.id} is paused, unpause the container before attach"
        )
    if status == "restarting":
        raise Conflict(
            f"container {container.config.id} is restarting, wait until the container is running"
        )
    return container


def _keys(call: Call) -> bytes:
    return chosen_keys(call.text("detachKeys") or None)


def _client(
    call: Call, container: Container, connection: Connection, *, tty: bool, keys: bytes
) -> Client:
    return Client(
        connection,
        tty=tty,
        stdin=call.flag("stdin") and container.config.open_stdin,
        stdout=call.flag("stdout"),
        stderr=call.flag("stderr"),
        keys=keys,
    )


async def _attached(
    call: Call, container: Container, client: Client, past: list[tuple[int, bytes]]
) -> None:
    """Send what is past, then what comes."""
    for stream, data in past:
        await client.send(stream, data)
    client.ready.set()
    if not call.flag("stream"):
        return
    if container.state.is_running:
        joined = await call.work.look(call.engine.join, container, stdin=client.stdin)
        await relay([client], joined)
    else:
        await _until_started(call, container, client)


async def _until_started(call: Call, container: Container, client: Client) -> None:
    """Wait for the relay that the start of the container makes, and for its end."""
    listener = call.state.hub.listen()
    gone = asyncio.create_task(client.connection.until_gone())
    done = asyncio.create_task(client.done.wait())
    try:
        while not (gone.done() or done.done()):
            await asyncio.wait({gone, done}, timeout=0.5, return_when=asyncio.FIRST_COMPLETED)
            if not client.joined.is_set() and await _was_started_elsewhere(call, container, client):
                return
        client.done.set()
    finally:
        call.state.hub.leave(listener)
        gone.cancel()
        done.cancel()


async def _was_started_elsewhere(call: Call, container: Container, client: Client) -> bool:
    """Join a container that somebody else has started; True once that is over."""
    try:
        present = await call.work.look(call.engine.container, container.config.id)
    except SandboxError:  # removed, damaged: nothing will come
        return True
    if present.state.status != "running" or client.joined.is_set():
        return False
    call.state.attachments.leave(container.config.id, client)
    if client.joined.is_set():
        return False
    joined = await call.work.look(call.engine.join, present, stdin=client.stdin)
    await relay([client], joined)
    return True


async def _past(call: Call, container: Container) -> list[tuple[int, bytes]]:
    """Return what a container has said: streams and bytes."""

    def read() -> list[tuple[int, bytes]]:
        reader = call.engine.log_reader(container.config.id, Span())
        try:
            return [
                (
                    protocol.STDERR if line.stream == "stderr" else protocol.STDOUT,
                    line.text.encode("utf-8", "surrogateescape"),
                )
                for line in reader.past()
            ]
        finally:
            reader.close()

    return await call.work.look(read)


class Websocket:
    """A websocket as a connection of raw bytes."""

    def __init__(self, socket: web.WebSocketResponse) -> None:
        """Use a websocket that is open."""
        self._socket = socket
        self._lost = asyncio.Event()

    @property
    def is_gone(self) -> bool:
        """Tell whether it is closed."""
        return self._lost.is_set() or self._socket.closed

    async def read(self) -> bytes:
        """Return the next message; empty at the end."""
        message = await self._socket.receive()
        if message.type in (web.WSMsgType.BINARY, web.WSMsgType.TEXT):
            data = message.data
            return data.encode() if isinstance(data, str) else bytes(data)
        self._lost.set()
        return b""

    async def write(self, data: bytes) -> None:
        """Send one binary message."""
        if self.is_gone:
            raise Gone
        try:
            await self._socket.send_bytes(data)
        except (ConnectionError, RuntimeError):
            self._lost.set()
            raise Gone from None

    async def until_gone(self) -> None:
        """Return when it is closed."""
        await self._lost.wait()


async def attach_websocket(call: Call) -> web.StreamResponse:
    """``GET /containers/{name}/attach/ws``: raw bytes in binary messages."""
    container = await _attachable(call)
    keys = _keys(call)
    socket = web.WebSocketResponse(max_msg_size=1024 * 1024)
    try:
        await socket.prepare(call.request)
    except web.HTTPException as exc:
        raise BadRequest(f"not a websocket handshake: {exc.text}") from None
    connection = Websocket(socket)
    config = container.config
    # No frames: Docker's websockets have none.
    client = _client(call, container, connection, tty=True, keys=keys if config.tty else b"")
    listening = None if client.stdin else asyncio.create_task(_listen(connection))
    try:
        past = await _past(call, container) if call.flag("logs") else []
        if call.flag("stream") and not container.state.is_running:
            call.state.attachments.wait_for_start(config.id, client)
        await call.work.look(call.engine.tell_attached, container)
        await _attached(call, container, client, past)
        await _tell_left(call, container, client)
    finally:
        call.state.attachments.leave(config.id, client)
        if listening is not None:
            listening.cancel()
        await socket.close()
    return socket


async def _listen(connection: Websocket) -> None:
    """Answer pings and hear of the close when no input is wanted."""
    while await connection.read():
        pass


# ---- exec -----------------------------------------------------------------------------------


async def exec_create(call: Call) -> web.StreamResponse:
    """``POST /containers/{name}/exec``."""
    body = await call.body(ExecBody)
    command = (body.cmd,) if isinstance(body.cmd, str) else tuple(body.cmd or ())
    if not command or not command[0]:
        raise BadRequest("no exec command specified")
    if body.detach_keys:
        chosen_keys(body.detach_keys)
    container = await call.work.look(call.engine.active_container, call.args["name"])
    if body.privileged:
        raise BadRequest(
            "Privileged is not supported: root is emulated, and no more than the user may can be "
            "given"
        )
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
        ),
        stdout=bool(body.attach_stdout),
        stderr=bool(body.attach_stderr),
        privileged=bool(body.privileged),
        detach_keys=body.detach_keys or "",
        size=(size[0], size[1]) if len(size) == 2 else None,
    )
    call.state.execs.add(item)
    await call.work.look(call.engine.tell_exec, container, item.id, "create", command)
    return call.json({"Id": item.id}, 201)


async def exec_start(call: Call) -> web.StreamResponse:
    """``POST /exec/{id}/start``."""
    body = await call.body(ExecStartBody, empty=ExecStartBody())
    item = call.state.execs.find(call.args["id"])
    if item.claimed:
        raise Conflict(
            f"exec command {item.id} has already run"
            if item.ended.is_set()
            else f"exec command {item.id} is already running"
        )
    item.claimed = True  # before anything is waited for: two may ask at once
    try:
        container = await call.work.look(call.engine.active_container, item.container.config.id)
    except SandboxError:
        item.claimed = False
        raise
    item.container = container
    if body.console_size and len(body.console_size) == 2:
        item.size = (body.console_size[0], body.console_size[1])
    await call.work.look(call.engine.tell_exec, container, item.id, "start", item.request.args)
    if body.detach:
        null = [os.open("/dev/null", os.O_RDWR | os.O_CLOEXEC) for _ in range(3)]
        item.request = _without_terminal(item.request)
        await call.state.execs.start(item, null, free=True)
        return call.empty(200)
    framed = not body.tty  # as Docker: the start decides, whatever the process has
    content_type = MULTIPLEXED if framed and call.version >= (1, 42) else RAW
    connection = await hijack(call.request, content_type)
    await _grace(call, connection)
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
        await call.work.look(call.engine.tell_exec_left, item.container, item.id)
    if pump.goes_on:
        call.state.execs.keep(pump.read_on())


async def exec_resize(call: Call) -> web.StreamResponse:
    """``POST /exec/{id}/resize``."""
    item = call.state.execs.find(call.args["id"])
    rows, columns = size_of(call)
    item.size = (rows, columns)
    if item.master is not None:
        terminal.set_size(item.master, rows, columns)
    elif not item.started:
        raise ApiError(400, f"exec process is not running: {item.id}")
    return call.empty(200)


async def exec_inspect(call: Call) -> web.StreamResponse:
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
                "privileged": item.privileged,
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
