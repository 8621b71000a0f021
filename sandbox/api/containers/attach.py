# SPDX-License-Identifier: MIT
"""``POST /containers/{name}/attach``, and the same by websocket."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from aiohttp import web

from sandbox.api.containers.attach_streams import Client, relay
from sandbox.api.errors import BadRequest
from sandbox.api.streams.hijack import MULTIPLEXED, RAW, Hijacked, Silent, answer, wait_for_head
from sandbox.api.streams.websocket import Websocket
from sandbox.errors import Conflict, SandboxError
from sandbox.runtime.attach import chosen_keys
from sandbox.runtime.logs.reader import Span
from sandbox.runtime.supervisor import protocol

if TYPE_CHECKING:
    from sandbox.api.call import Call
    from sandbox.api.containers.attach_streams import Connection
    from sandbox.models.container import Container


async def attach(call: Call) -> web.StreamResponse:
    """``POST /containers/{name}/attach``."""
    container = await _attachable(call)
    keys = _keys(call)
    past = await _past(call, container) if call.flag("logs") else []
    connection = Hijacked(call.request)
    client = _client(call, container, connection, tty=container.config.tty, keys=keys)
    waits = call.flag("stream") and not container.state.is_running
    if waits:  # before the client gets an answer: its next request may be the start
        call.state.attachments.wait_for_start(container.config.id, client)
    try:
        content_type = RAW if client.tty or call.version < (1, 42) else MULTIPLEXED
        await call.work.look(call.engine.streams.tell_attach, container)
        await answer(call.request, connection, content_type)
        await wait_for_head(connection, call.agent)
        await _attached(call, container, client, past)
        await _tell_left(call, container, client)
    finally:
        call.state.attachments.leave(container.config.id, client)
        await connection.finish()
    return Silent()


async def _tell_left(call: Call, container: Container, client: Client) -> None:
    if client.detached:
        await call.work.look(call.engine.streams.tell_attach, container, "detach")


async def _attachable(call: Call) -> Container:
    container = await call.work.look(call.engine.containers.get, call.args["name"])
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
    """Send past output, then new output."""
    for stream, data in past:
        await client.send(stream, data)
    client.ready.set()
    if not call.flag("stream"):
        return
    if container.state.is_running:
        joined = await call.work.look(call.engine.streams.attach, container, stdin=client.stdin)
        await relay([client], joined)
    else:
        await _until_started(call, container, client)


async def _until_started(call: Call, container: Container, client: Client) -> None:
    """Wait until the start of the container joins the client, and until its end."""
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
    """Join a container that another process has started; return true after its end."""
    try:
        present = await call.work.look(call.engine.containers.get, container.config.id)
    except SandboxError:  # removed or damaged: no output will come
        return True
    if present.state.status != "running" or client.joined.is_set():
        return False
    call.state.attachments.leave(container.config.id, client)
    if client.joined.is_set():
        return False
    joined = await call.work.look(call.engine.streams.attach, present, stdin=client.stdin)
    await relay([client], joined)
    return True


async def _past(call: Call, container: Container) -> list[tuple[int, bytes]]:
    """Return the past output of a container: streams and bytes."""

    def read() -> list[tuple[int, bytes]]:
        reader = call.engine.streams.logs(container.config.id, Span())
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
    # Docker's websockets carry no frames.
    client = _client(call, container, connection, tty=True, keys=keys if config.tty else b"")
    listening = None if client.stdin else asyncio.create_task(_listen(connection))
    try:
        past = await _past(call, container) if call.flag("logs") else []
        if call.flag("stream") and not container.state.is_running:
            call.state.attachments.wait_for_start(config.id, client)
        await call.work.look(call.engine.streams.tell_attach, container)
        await _attached(call, container, client, past)
        await _tell_left(call, container, client)
    finally:
        call.state.attachments.leave(config.id, client)
        if listening is not None:
            listening.cancel()
        await socket.close()
    return socket


async def _listen(connection: Websocket) -> None:
    """Without input: answer pings and wait for the close."""
    while await connection.read():
        pass
