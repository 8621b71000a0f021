# SPDX-License-Identifier: MIT
"""The table of endpoints: dispatch and the OpenAPI description come from it."""

from __future__ import annotations

from sandbox.api import bodies, build, disk_usage, networks, system, volumes
from sandbox.api.containers import archive, attach, lifecycle, logs, stats, wait
from sandbox.api.containers import exec as exec_
from sandbox.api.dispatch import Route
from sandbox.api.events import events
from sandbox.api.images import archives, images, pull, push, registry

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
    Route("GET", "/events", events.events, "since:string until:string filters:filters"),
    # ---- containers -------------------------------------------------------------------------
    Route(
        "GET",
        "/containers/json",
        lifecycle.list_all,
        "all:boolean limit:integer size:boolean filters:filters",
    ),
    Route(
        "POST",
        "/containers/create",
        lifecycle.create,
        "name:string platform:string",
        bodies.ContainerBody,
        201,
    ),
    Route("POST", "/containers/prune", lifecycle.prune, "filters:filters"),
    Route("GET", "/containers/{name}/json", lifecycle.inspect, "size:boolean"),
    Route("POST", "/containers/{name}/start", lifecycle.start, "detachKeys:string", success=204),
    Route("POST", "/containers/{name}/stop", lifecycle.stop, _SIGNAL_AND_TIME, success=204),
    Route("POST", "/containers/{name}/restart", lifecycle.restart, _SIGNAL_AND_TIME, success=204),
    Route("POST", "/containers/{name}/kill", lifecycle.kill, "signal:string", success=204),
    Route("POST", "/containers/{name}/pause", lifecycle.pause, success=204),
    Route("POST", "/containers/{name}/unpause", lifecycle.unpause, success=204),
    Route("POST", "/containers/{name}/rename", lifecycle.rename, "name:string", success=204),
    Route("POST", "/containers/{name}/update", lifecycle.update, body=bodies.UpdateBody),
    Route("POST", "/containers/{name}/resize", lifecycle.resize, "h:integer w:integer"),
    Route("POST", "/containers/{name}/wait", wait.wait, "condition:string"),
    Route("POST", "/containers/{name}/attach", attach.attach, _ATTACH),
    Route("GET", "/containers/{name}/attach/ws", attach.attach_websocket, _ATTACH),
    Route("GET", "/containers/{name}/logs", logs.logs, _LOGS),
    Route("GET", "/containers/{name}/top", lifecycle.top, "ps_args:string"),
    Route("GET", "/containers/{name}/changes", lifecycle.changes),
    Route(
        "DELETE",
        "/containers/{name:path}",
        lifecycle.remove,
        "force:boolean v:boolean link:boolean",
        success=204,
    ),
    Route("GET", "/containers/{name}/stats", stats.stats, "stream:boolean one-shot:boolean"),
    Route("HEAD", "/containers/{name}/archive", archive.head, "path:string"),
    Route("GET", "/containers/{name}/archive", archive.get, "path:string"),
    Route(
        "PUT",
        "/containers/{name}/archive",
        archive.put,
        "path:string noOverwriteDirNonDir:boolean copyUIDGID:boolean",
    ),
    Route("GET", "/containers/{name}/export", archive.export),
    Route("GET", "/containers/{name}/checkpoints", system.no_checkpoints, success=501),
    Route("POST", "/containers/{name}/checkpoints", system.no_checkpoints, success=501),
    # ---- exec -------------------------------------------------------------------------------
    Route("POST", "/containers/{name}/exec", exec_.create, "", bodies.ExecBody, 201),
    Route("POST", "/exec/{id}/start", exec_.start, "", bodies.ExecStartBody),
    Route("POST", "/exec/{id}/resize", exec_.resize, "h:integer w:integer"),
    Route("GET", "/exec/{id}/json", exec_.inspect),
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
        pull.create,
        "fromImage:string fromSrc:string repo:string tag:string message:string "
        "changes:string platform:string",
    ),
    Route("POST", "/images/load", archives.load, "quiet:boolean platform:string"),
    Route("POST", "/images/prune", images.prune, "filters:filters"),
    Route("GET", "/images/search", registry.search, "term:string limit:integer filters:filters"),
    Route("GET", "/images/get", archives.get, "names:string"),
    Route("GET", "/images/{name:path}/json", images.inspect),
    Route("GET", "/images/{name:path}/history", images.history),
    Route("GET", "/images/{name:path}/get", archives.get),
    Route("POST", "/images/{name:path}/push", push.push, "tag:string"),
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
    Route("GET", "/distribution/{name:path}/json", registry.distribution),
    Route("POST", "/auth", registry.auth, body=bodies.AuthBody),
    # ---- builds -----------------------------------------------------------------------------
    Route(
        "POST",
        "/build",
        build.build,
        "dockerfile:string t:string remote:string q:boolean nocache:boolean pull:boolean "
        "buildargs:string labels:string target:string platform:string networkmode:string "
        "extrahosts:string squash:boolean memory:integer version:string",
    ),
    Route("POST", "/build/prune", build.prune, "all:boolean keep-storage:integer filters:filters"),
    # ---- networks ---------------------------------------------------------------------------
    Route("GET", "/networks", networks.list_all, "filters:filters"),
    Route("POST", "/networks/create", networks.create, "", bodies.NetworkBody, 201),
    Route("POST", "/networks/prune", networks.prune, "filters:filters"),
    Route("GET", "/networks/{name}", networks.inspect, "verbose:boolean scope:string"),
    Route("DELETE", "/networks/{name}", networks.remove, success=204),
    Route("POST", "/networks/{name}/connect", networks.connect, "", bodies.ConnectBody),
    Route("POST", "/networks/{name}/disconnect", networks.disconnect, "", bodies.DisconnectBody),
    # ---- volumes ----------------------------------------------------------------------------
    Route("GET", "/volumes", volumes.list_all, "filters:filters"),
    Route("POST", "/volumes/create", volumes.create, "", bodies.VolumeBody, 201),
    Route("POST", "/volumes/prune", volumes.prune, "filters:filters"),
    Route("GET", "/volumes/{name}", volumes.inspect),
    Route("DELETE", "/volumes/{name}", volumes.remove, "force:boolean", success=204),
    Route("GET", "/system/df", disk_usage.disk, "type:string"),
    # ---- not supported ----------------------------------------------------------------------
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
