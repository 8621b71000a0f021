# SPDX-License-Identifier: MIT
"""The endpoints of containers: one handler for each, which calls one verb of the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.api import query
from sandbox.api.bodies import ContainerBody
from sandbox.api.containers import create_request
from sandbox.api.containers.network_request import shown_only
from sandbox.api.errors import ApiError, BadRequest, NotModified
from sandbox.engine.containers.inspect import link_names, summarize_container
from sandbox.errors import ContainerNotFound, ImageNotFound, OtherPlatform
from sandbox.models.endpoints import split_link
from sandbox.models.reference import parse_reference
from sandbox.runtime.lifecycle import may_remove

if TYPE_CHECKING:
    from aiohttp import web

    from sandbox.api.call import Call
    from sandbox.models.container import Container

_KINDS = {"C": 0, "A": 1, "D": 2}


async def list_all(call: Call) -> web.StreamResponse:
    """``GET /containers/json``."""
    wanted = call.filters()
    everything = call.flag("all") or "status" in wanted
    limit = call.number("limit") or 0
    size = call.flag("size")

    def look() -> list[dict[str, Any]]:
        engine = call.engine
        matches = engine.containers.parse_filters(query.as_flags(wanted))
        every = engine.containers.list()
        found = [
            item
            for item in every
            if (everything or limit > 0 or item.state.is_running) and matches(item)
        ]
        members, networks = engine.networks.memberships(), engine.networks.list()
        links = link_names(every)
        shown = []
        for item in found[:limit] if limit > 0 else found:
            sizes = engine.containers.sizes(item) if size else {}
            shown.append(summarize_container(item, members, networks, links) | sizes)
        return shown

    return call.json(await call.work.look(look))


async def create(call: Call) -> web.StreamResponse:
    """``POST /containers/create``."""
    body = await call.body(ContainerBody)
    name = create_request.check_name(call.text("name"))
    request, warnings = create_request.request_of(body, name, call.text("platform"))
    try:
        container = await call.work.act(call.engine.containers.create, request)
        if any(
            item.asked or item.options or item.address
            for item in container.config.network.endpoints
        ):
            networks = await call.work.look(call.engine.networks.list)
            warnings += shown_only(container.config.network.endpoints, networks)
    except OtherPlatform as exc:
        raise ApiError(404, exc.message) from None
    except ImageNotFound:
        raise ApiError(404, f"No such image: {_familiar(request.image)}") from None
    return call.json({"Id": container.config.id, "Warnings": warnings}, 201)


def _familiar(name: str) -> str:
    return parse_reference(name).with_default_tag().familiar


async def inspect(call: Call) -> web.StreamResponse:
    """``GET /containers/{name}/json``."""
    size = call.flag("size")

    def look() -> dict[str, Any]:
        engine = call.engine
        shown = engine.containers.inspect(call.args["name"])
        if size:
            shown |= engine.containers.sizes(engine.containers.get(shown["Id"]))
        return shown

    shown = await call.work.look(look)
    shown["ExecIDs"] = call.state.execs.of(shown["Id"]) or None
    return call.json(shown)


async def start(call: Call) -> web.StreamResponse:
    """``POST /containers/{name}/start``: also join the clients that wait for its output."""
    container = await _find(call)
    identity = container.config.id
    if container.state.status in ("running", "restarting"):
        raise NotModified
    clients = call.state.attachments.take(identity)
    stdin = any(client.stdin for client in clients)
    try:
        connection = await call.work.act(
            call.engine.streams.launch, container, attach=bool(clients), stdin=stdin
        )
    except BaseException:
        for client in clients:
            client.done.set()
        raise
    if clients:
        call.state.attachments.join(clients, connection)
    else:
        connection.close()
    return call.empty()


async def stop(call: Call) -> web.StreamResponse:
    """``POST /containers/{name}/stop``."""
    container = await _find(call)
    if not container.state.is_running:
        raise NotModified
    await call.work.act(
        call.engine.containers.stop,
        container.config.id,
        signal_name=call.text("signal") or None,
        timeout=call.number("t"),
    )
    return call.empty()


async def restart(call: Call) -> web.StreamResponse:
    """``POST /containers/{name}/restart``."""
    await call.work.act(
        call.engine.containers.restart,
        call.args["name"],
        signal_name=call.text("signal") or None,
        timeout=call.number("t"),
    )
    return call.empty()


async def kill(call: Call) -> web.StreamResponse:
    """``POST /containers/{name}/kill``."""
    await call.work.act(
        call.engine.containers.kill, call.args["name"], call.text("signal") or "KILL"
    )
    return call.empty()


async def pause(call: Call) -> web.StreamResponse:
    """``POST /containers/{name}/pause``."""
    await call.work.act(call.engine.containers.pause, call.args["name"])
    return call.empty()


async def unpause(call: Call) -> web.StreamResponse:
    """``POST /containers/{name}/unpause``."""
    await call.work.act(call.engine.containers.unpause, call.args["name"])
    return call.empty()


async def rename(call: Call) -> web.StreamResponse:
    """``POST /containers/{name}/rename``."""
    name = call.text("name")
    if not name:
        raise BadRequest("neither old nor new names may be empty")
    await call.work.act(call.engine.containers.rename, call.args["name"], name)
    return call.empty()


async def update(call: Call) -> web.StreamResponse:
    """``POST /containers/{name}/update``."""
    data = await call.body(dict[str, Any])
    changes, warnings = create_request.changes_of(data)
    asked = create_request.shown_by(data)
    await call.work.act(call.engine.containers.update, call.args["name"], asked=asked, **changes)
    return call.json({"Warnings": warnings or None})


async def resize(call: Call) -> web.StreamResponse:
    """``POST /containers/{name}/resize``."""
    rows, columns = size_of(call)
    await call.work.look(call.engine.streams.resize, call.args["name"], rows, columns)
    return call.empty(200)


def size_of(call: Call) -> tuple[int, int]:
    """Return the rows and columns of a resize request."""
    rows, columns = call.number("h"), call.number("w")
    if rows is None or columns is None or not (0 <= rows < 65536 and 0 <= columns < 65536):
        raise BadRequest("invalid size of a terminal: h and w are needed")
    return rows, columns


async def top(call: Call) -> web.StreamResponse:
    """``GET /containers/{name}/top``."""
    options = tuple(call.text("ps_args").split())
    headings, rows = await call.work.look(call.engine.containers.top, call.args["name"], options)
    return call.json({"Titles": headings, "Processes": rows})


async def changes(call: Call) -> web.StreamResponse:
    """``GET /containers/{name}/changes``."""
    found = await call.work.act(call.engine.containers.diff, call.args["name"])
    return call.json([{"Path": path, "Kind": _KINDS[kind]} for kind, path in found] or None)


async def remove(call: Call) -> web.StreamResponse:
    """``DELETE /containers/{name}``."""
    name, force = call.args["name"], call.flag("force")
    if call.flag("link"):
        await call.work.act(call.engine.networks.remove_link, *split_link(name))
        return call.empty()

    def act() -> None:
        container = call.engine.containers.get(name)
        may_remove(container.state, name=f"/{container.config.name}", force=force)
        call.engine.containers.remove(container.config.id, force=force, volumes=call.flag("v"))

    await call.work.act(act)
    return call.empty()


async def prune(call: Call) -> web.StreamResponse:
    """``POST /containers/prune``."""
    wanted = query.as_flags(call.filters())
    pruned = await call.work.act(call.engine.containers.prune, wanted)
    return call.json(
        {"ContainersDeleted": pruned.containers or None, "SpaceReclaimed": pruned.freed}
    )


async def _find(call: Call) -> Container:
    try:
        return await call.work.look(call.engine.containers.get, call.args["name"])
    except ContainerNotFound:
        raise ApiError(404, f"No such container: {call.args['name']}") from None
