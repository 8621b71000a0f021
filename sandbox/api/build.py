# SPDX-License-Identifier: MIT
"""``POST /build``: the classic builder's protocol around the engine's builds.

How it works: each build is a separate process (`build_process`), the parent of the processes
of its steps. The context goes to its standard input, and lines of JSON come back.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from sandbox.api.errors import ApiError, BadRequest
from sandbox.api.query import as_flags
from sandbox.runtime.process import descriptor_limit

if TYPE_CHECKING:
    from aiohttp import web

    from sandbox.api.call import Call

_CHUNK = 256 * 1024
_NOTHING = ("", "0", "-1", "null", "[]", "{}", "default")
_WITHOUT = (
    *("shmsize", "memswap", "cpushares", "cpusetcpus", "cpusetmems", "cpuquota", "cpuperiod"),
    *("ulimits", "securityopt", "cgroupparent", "isolation"),
)


async def build(call: Call) -> web.StreamResponse:
    """Build an image from the context in the body, or from a remote one."""
    request = _request(call)
    child = await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "sandbox.api.build_process",
        json.dumps(request),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=4 * 1024 * 1024,
        start_new_session=True,
        env={
            **os.environ,
            "SANDBOX_ROOT": _roots(call),
            "PYTHONPATH": os.pathsep.join(filter(None, sys.path)),
        },
    )
    descriptor_limit.give_back(child.pid)  # the child still waits for the context
    feeding = asyncio.create_task(_feed(call, child))
    try:
        assert child.stdout is not None
        data = await child.stdout.readline()
        _check_begun(data)
        response = await call.stream()
        while data:
            await response.write(data)
            if call.is_gone:
                break
            data = await child.stdout.readline()
        await response.write_eof()
        return response
    finally:
        feeding.cancel()
        with suppress(ProcessLookupError):
            if child.returncode is None and call.is_gone:
                child.terminate()
        await child.wait()


def _check_begun(line: bytes) -> None:
    """Raise the error that ended a build before its first output."""
    if not line:
        raise ApiError(500, "the build ended without a word")
    said = json.loads(line)
    if "message" in said:
        raise ApiError(said["status"], said["message"])


def _roots(call: Call) -> str:
    layout = call.engine.layout
    return ":".join([*(os.fspath(site.root) for site in layout.sites), os.fspath(layout.root)])


async def _feed(call: Call, child: asyncio.subprocess.Process) -> None:
    assert child.stdin is not None
    with suppress(ConnectionError):
        async for piece in call.request.content.iter_any():
            child.stdin.write(piece)
            await child.stdin.drain()
    child.stdin.close()


def _request(call: Call) -> dict[str, Any]:
    if call.text("version") == "2":
        raise ApiError(501, "BuildKit is not supported: set DOCKER_BUILDKIT=0")
    if call.text("outputs") not in _NOTHING:
        raise BadRequest("outputs are not supported by the classic builder")
    return {
        "server": os.getpid(),
        "remote": call.text("remote"),
        "dockerfile": call.text("dockerfile") or None,
        "tags": call.texts("t"),
        "args": _mapping(call, "buildargs"),
        "labels": _mapping(call, "labels"),
        "target": call.text("target") or None,
        "no_cache": call.flag("nocache"),
        "pull": call.flag("pull"),
        "quiet": call.flag("q"),
        "squash": call.flag("squash"),
        "platform": call.text("platform") or None,
        "network": call.text("networkmode") or "default",
        "hosts": call.texts("extrahosts"),
        "memory": call.number("memory") or 0,
        "cache_from": _names(call, "cachefrom"),
        "without_effect": [name for name in _WITHOUT if call.text(name) not in _NOTHING],
    }


def _names(call: Call, name: str) -> list[str]:
    try:
        found = json.loads(call.text(name) or "null") or []
    except (ValueError, RecursionError):
        found = None
    if not isinstance(found, list) or not all(isinstance(item, str) for item in found):
        raise BadRequest(f"invalid {name}: a JSON list of strings is needed")
    return found


def _mapping(call: Call, name: str) -> dict[str, str | None]:
    text = call.text(name)
    if not text:
        return {}
    try:
        found = json.loads(text)
    except (ValueError, RecursionError):
        found = None
    if found is None and text.strip() == "null":
        return {}
    if not isinstance(found, dict) or not all(isinstance(v, str | None) for v in found.values()):
        raise BadRequest(f"invalid {name}: a JSON object of strings is needed")
    return {str(key): value for key, value in found.items()}


async def prune(call: Call) -> web.StreamResponse:
    """``POST /build/prune``."""
    wanted = as_flags(call.filters())
    pruned = await call.work.act(
        call.engine.builds.prune,
        everything=call.flag("all"),
        filters=wanted,
        keep=call.number("keep-storage") or 0,
    )
    return call.json({"CachesDeleted": pruned.builds or None, "SpaceReclaimed": pruned.freed})
