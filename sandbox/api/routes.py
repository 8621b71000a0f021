# SPDX-License-Identifier: MIT
"""Every endpoint, once: dispatch and the OpenAPI description are made of this table."""

from __future__ import annotations

from sandbox.api import (
    building,
    containers,
    files,
    following,
    images,
    joining,
    measuring,
    models,
    networks,
    system,
    transfers,
    volumes,
)
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
        "/containers/{name:path}",
        containers.remove,
        "force:boolean v:boolean link:boolean",
        success=204,
    ),
    Route("GET", "/containers/{name}/stats", measuring.stats, "stream:boolean one-shot:boolean"),
    Route("HEAD", "/containers/{name}/archive", files.head, "path:string"),
    Route("GET", "/containers/{name}/archive", files.get, "path:string"),
    Route(
        "PUT",
        "/containers/{name}/archive",
        files.put,
        "path:string noOverwriteDirNonDir:boolean copyUIDGID:boolean",
    ),
    Route("GET", "/containers/{name}/export", files.export),
    Route("GET", "/containers/{name}/checkpoints", system.no_checkpoints, success=501),
    Route("POST", "/containers/{name}/checkpoints", system.no_checkpoints, success=501),
    # ---- exec -------------------------------------------------------------------------------
    Route("POST", "/containers/{name}/exec", joining.exec_create, "", models.ExecBody, 201),
    Route("POST", "/exec/{id}/start", joining.exec_start, "", models.ExecStartBody),
    Route("POST", "/exec/{id}/resize", joining.exec_resize, "h:integer w:integer"),
    Route("GET", "/exec/{id}/json", joining.exec_inspect),
    # ---- images -----------------------------------------------------------------------------
    Route(
        "GET",
        "/images/json",
        images.list_all,
        "all:boolean filters:filters digests:boolean shared-size:boolean filter:string",
    ),
    Route(
        "POST",
        "/images/create",
        transfers.create,
        "fromImage:string fromSrc:string repo:string tag:string message:string "
        "changes:string platform:string",
    ),
    Route("POST", "/images/load", transfers.load, "quiet:boolean platform:string"),
    Route("POST", "/images/prune", images.prune, "filters:filters"),
    Route("GET", "/images/search", transfers.search, "term:string limit:integer filters:filters"),
    Route("GET", "/images/get", transfers.get, "names:string"),
    Route("GET", "/images/{name:path}/json", images.inspect),
    Route("GET", "/images/{name:path}/history", images.history),
    Route("GET", "/images/{name:path}/get", transfers.get),
    Route("POST", "/images/{name:path}/push", transfers.push, "tag:string"),
    Route("POST", "/images/{name:path}/tag", images.tag, "repo:string tag:string", success=201),
    Route("DELETE", "/images/{name:path}", images.remove, "force:boolean noprune:boolean"),
    Route(
        "POST",
        "/commit",
        images.commit,
        "container:string repo:string tag:string comment:string author:string "
        "changes:string pause:boolean",
        success=201,
    ),
    Route("GET", "/distribution/{name:path}/json", transfers.distribution),
    Route("POST", "/auth", transfers.auth, body=models.AuthBody),
    # ---- builds -----------------------------------------------------------------------------
    Route(
        "POST",
        "/build",
        building.build,
        "dockerfile:string t:string remote:string q:boolean nocache:boolean pull:boolean "
        "buildargs:string labels:string target:string platform:string networkmode:string "
        "extrahosts:string squash:boolean memory:integer version:string",
    ),
    Route(
        "POST", "/build/prune", building.prune, "all:boolean keep-storage:integer filters:filters"
    ),
    # ---- networks ---------------------------------------------------------------------------
    Route("GET", "/networks", networks.list_all, "filters:filters"),
    Route("POST", "/networks/create", networks.create, "", models.NetworkBody, 201),
    Route("POST", "/networks/prune", networks.prune, "filters:filters"),
    Route("GET", "/networks/{name}", networks.inspect, "verbose:boolean scope:string"),
    Route("DELETE", "/networks/{name}", networks.remove, success=204),
    Route("POST", "/networks/{name}/connect", networks.connect, "", models.ConnectBody),
    Route("POST", "/networks/{name}/disconnect", networks.disconnect, "", models.DisconnectBody),
    # ---- volumes ----------------------------------------------------------------------------
    Route("GET", "/volumes", volumes.list_all, "filters:filters"),
    Route("POST", "/volumes/create", volumes.create, "", models.VolumeBody, 201),
    Route("POST", "/volumes/prune", volumes.prune, "filters:filters"),
    Route("GET", "/volumes/{name}", volumes.inspect),
    Route("DELETE", "/volumes/{name}", volumes.remove, "force:boolean", success=204),
    Route("GET", "/system/df", volumes.disk, "type:string"),
    # ---- what is not here -------------------------------------------------------------------
    Route("GET", "/plugins", system.no_plugins, "filters:filters"),
    Route("GET", "/plugins/privileges", system.no_plugin_made, "remote:string", success=501),
    Route("POST", "/plugins/pull", system.no_plugin_made, "remote:string", success=501),
    Route("POST", "/plugins/create", system.no_plugin_made, "name:string", success=501),
    *(
        Route(method, "/plugins/{rest:path}", system.no_plugin, success=404)
        for method in ("GET", "POST", "DELETE")
    ),
    *(
        Route(method, f"/{name}{rest}", system.no_swarm, success=503)
        for name in ("swarm", "nodes", "services", "tasks", "secrets", "configs")
        for rest in ("", "/{rest:path}")
        for method in ("GET", "POST", "DELETE")
    ),
)
