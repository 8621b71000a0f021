# SPDX-License-Identifier: MIT
"""The endpoints about the server, the machine and the whole store."""

from __future__ import annotations

import os
import platform
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from aiohttp import web

from sandbox.api.dispatch import API_VERSION, OLDEST_VERSION, version_text
from sandbox.api.errors import ApiError
from sandbox.engine.system.info import architecture
from sandbox.version import VERSION

if TYPE_CHECKING:
    from sandbox.api.call import Call


async def ping(call: Call) -> web.StreamResponse:
    """``GET /_ping``: the first call of every client."""
    headers = {
        **call.headers,
        "Builder-Version": "1",
        "Swarm": "inactive",
        "Cache-Control": "no-cache, no-store, must-revalidate",
        "Pragma": "no-cache",
    }
    return web.Response(body=b"OK", content_type="text/plain", charset="utf-8", headers=headers)


async def version(call: Call) -> web.StreamResponse:
    """``GET /version``."""
    kernel = os.uname().release
    details = {
        "ApiVersion": version_text(API_VERSION),
        "Arch": architecture(),
        "BuildTime": "",
        "Experimental": "false",
        "GitCommit": "",
        "GoVersion": "",
        "KernelVersion": kernel,
        "MinAPIVersion": version_text(OLDEST_VERSION),
        "Os": "linux",
        "PythonVersion": platform.python_version(),
    }
    return call.json(
        {
            "Platform": {"Name": "sandbox"},
            "Components": [{"Name": "Engine", "Version": VERSION, "Details": details}],
            "Version": VERSION,
            "ApiVersion": details["ApiVersion"],
            "MinAPIVersion": details["MinAPIVersion"],
            "GitCommit": "",
            "GoVersion": "",
            "Os": "linux",
            "Arch": details["Arch"],
            "KernelVersion": kernel,
            "BuildTime": "",
        }
    )


async def info(call: Call) -> web.StreamResponse:
    """``GET /info``."""
    facts: dict[str, Any] = await call.work.look(call.engine.system.info)
    now = datetime.now(UTC).isoformat().replace("+00:00", "Z")
    return call.json(
        {
            "ID": f"sandbox-{os.getuid()}",
            **facts,
            "DriverStatus": [["Free Space", str(facts["FreeSpace"])]],
            "Plugins": {
                "Volume": ["local"],
                "Network": ["bridge", "host", "null"],
                "Authorization": None,
                "Log": ["json-file", "none"],
            },
            "MemoryLimit": True,
            "SwapLimit": False,
            "CpuCfsPeriod": True,
            "CpuCfsQuota": True,
            "CPUShares": False,
            "CPUSet": True,
            "PidsLimit": True,
            "IPv4Forwarding": True,
            "BridgeNfIptables": False,
            "BridgeNfIp6tables": False,
            "Debug": False,
            "NFd": len(os.listdir("/proc/self/fd")),
            "OomKillDisable": False,
            "NGoroutines": 0,
            "SystemTime": now,
            "LoggingDriver": "json-file",
            "CgroupDriver": "none",
            "CgroupVersion": "1",
            "NEventsListener": 0,
            "IndexServerAddress": "https://index.docker.io/v1/",
            "RegistryConfig": {
                "InsecureRegistryCIDRs": ["127.0.0.0/8"],
                "IndexConfigs": {},
                "Mirrors": [],
            },
            "GenericResources": None,
            "CDISpecDirs": [],
            "HttpProxy": os.environ.get("HTTP_PROXY", ""),
            "HttpsProxy": os.environ.get("HTTPS_PROXY", ""),
            "NoProxy": os.environ.get("NO_PROXY", ""),
            "Labels": [],
            "ExperimentalBuild": False,
            "Runtimes": {"sandbox": {"path": "sandbox-guest"}},
            "DefaultRuntime": "sandbox",
            "Swarm": {
                "NodeID": "",
                "NodeAddr": "",
                "LocalNodeState": "inactive",
                "ControlAvailable": False,
                "Error": "",
                "RemoteManagers": None,
            },
            "LiveRestoreEnabled": True,
            "Isolation": "",
            "InitBinary": "",
            "ContainerdCommit": {"ID": "", "Expected": ""},
            "RuncCommit": {"ID": "", "Expected": ""},
            "InitCommit": {"ID": "", "Expected": ""},
            "ProductLicense": "",
            "DefaultAddressPools": [],
            "Warnings": facts["Warnings"] or None,
        }
    )


async def no_swarm(call: Call) -> web.StreamResponse:
    """Answer every swarm request like a daemon outside a swarm."""
    return call.json(
        {
            "message": 'This node is not a swarm manager. Use "docker swarm init" or '
            '"docker swarm join" to connect this node to swarm and try again.'
        },
        503,
    )


async def no_plugins(call: Call) -> web.StreamResponse:
    """``GET /plugins``: there are none."""
    return call.json([])


async def no_plugin(call: Call) -> web.StreamResponse:
    """Answer requests about one plugin."""
    name = call.args["rest"].removesuffix("/json")
    if call.request.method == "POST":  # .../enable, .../set
        name = name.rpartition("/")[0] or name
    raise ApiError(404, f'plugin "{name}" not found')


async def no_plugin_made(call: Call) -> web.StreamResponse:
    """Refuse the installation of a plugin."""
    raise ApiError(501, "plugins are not supported")


async def no_checkpoints(call: Call) -> web.StreamResponse:
    """Refuse checkpoints, which need CRIU."""
    return call.json({"message": "checkpoints are not supported"}, 501)
