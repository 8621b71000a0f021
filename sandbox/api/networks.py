# SPDX-License-Identifier: MIT
"""The endpoints of networks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sandbox.api.bodies import ConnectBody, DisconnectBody, NetworkBody
from sandbox.api.containers.network_request import NO_EFFECT, endpoint_of, split_pools
from sandbox.api.errors import ApiError, BadRequest
from sandbox.api.query import Filters, as_flags
from sandbox.errors import Conflict, NotFound
from sandbox.models.addresses import parse_address, parse_subnet
from sandbox.models.network import PREDEFINED, NetworkWish

if TYPE_CHECKING:
    from aiohttp import web

    from sandbox.api.call import Call


async def list_all(call: Call) -> web.StreamResponse:
    """``GET /networks``."""
    wanted = as_flags(call.filters())

    def look() -> list[dict[str, Any]]:
        networks = call.engine.networks
        found = networks.list(wanted)
        return [networks.inspect(item.id) | {"Containers": {}} for item in found]

    return call.json(await call.work.look(look))


async def inspect(call: Call) -> web.StreamResponse:
    """``GET /networks/{name}``."""
    return call.json(await call.work.look(call.engine.networks.inspect, call.args["name"]))


async def create(call: Call) -> web.StreamResponse:
    """``POST /networks/create``."""
    body = await call.body(NetworkBody)
    if not body.name:
        raise BadRequest("network name cannot be empty")
    _refuse(body)
    ipam = body.ipam or {}
    driver = ipam.get("Driver") or "default"
    if driver != "default":
        raise ApiError(404, f'plugin "{driver}" not found')
    pool, shown = split_pools(ipam)
    asked: dict[str, Any] = {
        "IPAM": {"Options": ipam.get("Options"), **({"Config": shown} if shown else {})}
    }
    without = [f"subnet {item['Subnet']}" for item in shown]
    if body.enable_ipv6:
        asked["EnableIPv6"] = True
        without.append("EnableIPv6")
    if ipam.get("Options"):
        without.append("IPAM.Options")
    wish = NetworkWish(
        name=body.name,
        driver=body.driver or "bridge",
        subnet=parse_subnet(pool["Subnet"]) if pool.get("Subnet") else None,
        gateway=_address(pool.get("Gateway")),
        ip_range=parse_subnet(pool["IPRange"]) if pool.get("IPRange") else None,
        internal=bool(body.internal),
        attachable=bool(body.attachable),
        labels=body.labels or {},
        options=body.options or {},
        asked=asked,
    )
    network = await call.work.act(call.engine.networks.create, wish)
    warning = "; ".join(f"{name} {NO_EFFECT}" for name in without)
    return call.json({"Id": network.id, "Warning": warning}, 201)


def _refuse(body: NetworkBody) -> None:
    """Refuse unsupported options by name."""
    if body.name in (*PREDEFINED, "default"):
        raise ApiError(403, f"operation is not permitted on predefined {body.name} network")
    for name, wish in (
        ("Ingress", body.ingress),
        ("ConfigOnly", body.config_only),
        ("ConfigFrom", (body.config_from or {}).get("Network")),
        ("EnableIPv4 false", body.enable_ipv4 is False),
        (f"Scope {body.scope}", (body.scope or "local") != "local"),
    ):
        if wish:
            raise BadRequest(f"{name} is not supported: networks are bridges of this machine")


def _address(text: Any) -> int:
    if not text:
        return 0
    found = parse_address(str(text))
    if found is None:
        raise BadRequest(f"invalid gateway address: {text}")
    return found


async def remove(call: Call) -> web.StreamResponse:
    """``DELETE /networks/{name}``."""
    try:
        await call.work.act(call.engine.networks.remove, call.args["name"])
    except Conflict as exc:
        raise ApiError(403, exc.message) from None
    return call.empty()


async def connect(call: Call) -> web.StreamResponse:
    """``POST /networks/{name}/connect``."""
    body = await call.body(ConnectBody)
    if not body.container:
        raise BadRequest("no container was named")
    endpoint = endpoint_of(call.args["name"], body.endpoint_config)
    try:
        await call.work.act(
            call.engine.networks.connect, call.args["name"], body.container, endpoint
        )
    except Conflict as exc:
        raise ApiError(403, exc.message) from None
    return call.empty(200)


async def disconnect(call: Call) -> web.StreamResponse:
    """``POST /networks/{name}/disconnect``."""
    body = await call.body(DisconnectBody)
    if not body.container:
        raise BadRequest("no container was named")
    try:
        await call.work.act(
            call.engine.networks.disconnect,
            call.args["name"],
            body.container,
            force=bool(body.force),
        )
    except Conflict as exc:
        raise ApiError(403, exc.message) from None
    return call.empty(200)


async def prune(call: Call) -> web.StreamResponse:
    """``POST /networks/prune``."""
    wanted: Filters = call.filters()
    pruned = await call.work.act(call.engine.networks.prune, as_flags(wanted))
    return call.json({"NetworksDeleted": pruned.networks or None})


__all__ = ["NotFound", "connect", "create", "disconnect", "inspect", "list_all", "prune", "remove"]
