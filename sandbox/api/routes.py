# SPDX-License-Identifier: MIT
"""Every endpoint, once: dispatch and the OpenAPI description are made of this table."""

from __future__ import annotations

from sandbox.api import containers, following, joining, models, system
from sandbox.api.dispatch import Route

_SIGNAL_AND_TIME = "signal:string t:integer"
_ATTACH = (
    "detachKeys:string logs:boolean stream:boolean stdin:boolean stdout:boolean stderr:boolean"
)
_LOGS = (
    "follow:boolean stdout:boolean stderr:boolean since:string until:string "
    "timestamps:boolean tail:string details:boolean"
)

ROUTES = (
    # ---- the server -------------------------------------------------------------------------
    Route("GET", "/_ping", system.ping),
    Route("GET", "/version", system.version),
    Route("GET", "/info", system.info),
    Route("GET", "/events", following.events, "since:string until:string filters:filters"),
    # ---- containers -------------------------------------------------------------------------
    Route(
        "GET",
        "/containers/json",
        containers.list_all,
        "all:boolean limit:integer size:boolean filters:filters",
    ),
    Route(
        "POST",
        "/containers/create",
        containers.create,
        "name:string platform:string",
        models.ContainerBody,
        201,
    ),
    Route("POST", "/containers/prune", containers.prune, "filters:filters"),
    Route("GET", "/containers/{name}/json", containers.inspect, "size:boolean"),
    Route("POST", "/containers/{name}/start", containers.start, "detachKeys:string", success=204),
    Route("POST", "/containers/{name}/stop", containers.stop, _SIGNAL_AND_TIME, success=204),
    Route("POST", "/containers/{name}/restart", containers.restart, _SIGNAL_AND_TIME, success=204),
    Route("POST", "/containers/{name}/kill", containers.kill, "signal:string", success=204),
    Route("POST", "/containers/{name}/pause", containers.pause, success=204),
    Route("POST", "/containers/{name}/unpause", containers.unpause, success=204),
    Route("POST", "/containers/{name}/rename", containers.rename, "name:string", success=204),
    Route("POST", "/containers/{name}/update", containers.update, body=models.UpdateBody),
    Route("POST", "/containers/{name}/resize", containers.resize, "h:integer w:integer"),
    Route("POST", "/containers/{name}/wait", following.wait, "condition:string"),
    Route("POST", "/containers/{name}/attach", joining.attach, _ATTACH),
    Route("GET", "/containers/{name}/attach/ws", joining.attach_websocket, _ATTACH),
    Route("GET", "/containers/{name}/logs", following.logs, _LOGS),
    Route("GET", "/containers/{name}/top", containers.top, "ps_args:string"),
    Route("GET", "/containers/{name}/changes", containers.changes),
    Route(
        "DELETE",
        "/containers/{name}",
        containers.remove,
        "force:boolean v:boolean link:boolean",
        success=204,
    ),
    # ---- exec -------------------------------------------------------------------------------
    Route("POST", "/containers/{name}/exec", joining.exec_create, "", models.ExecBody, 201),
    Route("POST", "/exec/{id}/start", joining.exec_start, "", models.ExecStartBody),
    Route("POST", "/exec/{id}/resize", joining.exec_resize, "h:integer w:integer"),
    Route("GET", "/exec/{id}/json", joining.exec_inspect),
)
