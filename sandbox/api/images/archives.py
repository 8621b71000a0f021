# SPDX-License-Identifier: MIT
"""Images as archives: import, save and load."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.api.errors import ApiError, BadRequest
from sandbox.api.images import images
from sandbox.api.images.progress_lines import ProgressLines
from sandbox.api.thread_pools import Sink
from sandbox.errors import SandboxError
from sandbox.models.reference import image_reference
from sandbox.store.atomic_files import workspace

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from sandbox.api.call import Call

_TAR = "application/x-tar"


async def import_archive(call: Call) -> web.StreamResponse:
    """``POST /images/create?fromSrc=-``: make an image from the archive in the body."""
    if call.text("fromSrc") != "-":
        raise ApiError(501, "importing from a URL is not supported: send the archive itself")
    repository, tag = call.text("repo"), call.text("tag")
    reference = f"{repository}:{tag}" if repository and tag else repository or None
    changes = [line for text in call.texts("changes") for line in text.splitlines() if line]
    lines = ProgressLines(call)
    with workspace(call.engine.layout) as scratch:
        path = await spool(call, scratch)

        def act() -> None:
            image_id = call.engine.images.import_(
                os.fspath(path),
                reference=reference,
                changes=changes,
                message=call.text("message") or "Imported from -",
                platform=call.text("platform") or None,
            )
            lines.tell(status=str(image_id))

        return await lines.run(act)


async def spool(call: Call, scratch: Path) -> Path:
    """Store the request's body in a file of *scratch*."""
    path = scratch / "body"
    with path.open("xb") as file:
        async for piece in call.request.content.iter_any():
            try:
                file.write(piece)
            except OSError as exc:
                from sandbox.errors import from_os_error

                raise from_os_error(exc, doing="cannot store the request") from exc
    return path


# ---- archives ---------------------------------------------------------------------------------


async def get(call: Call) -> web.StreamResponse:
    """``GET /images/get`` and ``GET /images/{name}/get``."""
    names = [call.args["name"]] if "name" in call.args else call.texts("names")
    names = [part for name in names for part in name.split(",") if part]
    if not names:
        raise BadRequest("no images to save")
    for name in names:
        await _check(call, name)
    return await send_tar(call, lambda write: call.engine.images.save(names, write))


async def _check(call: Call, name: str) -> None:
    """Raise a 404 unless *name* means an image, or a repository with tags."""
    try:
        await images.find(call, name)
    except ApiError:
        if not image_reference(name) or not await call.work.look(call.engine.images.list, name):
            raise


async def send_tar(
    call: Call, produce: Callable[[Callable[[bytes], object]], None], **headers: str
) -> web.StreamResponse:
    """Send the output of *produce*, which runs in a thread; report an early failure.

    A failure is early before the first byte; later it breaks the connection.
    """
    response: web.StreamResponse | None = None
    call.headers.update(headers)

    async def send(data: bytes) -> None:
        nonlocal response
        if response is None:
            response = await call.stream(_TAR)
        await response.write(data)

    sink = Sink(asyncio.get_running_loop(), send)

    def run() -> None:
        produce(sink.write)
        sink.flush()

    try:
        await call.work.alone(run)
    except SandboxError:
        if response is None:
            raise
        if call.request.transport is not None:
            call.request.transport.abort()  # the archive must not look complete
        return response
    if response is None:
        response = await call.stream(_TAR)
    await response.write_eof()
    return response


async def load(call: Call) -> web.StreamResponse:
    """``POST /images/load``."""
    lines = ProgressLines(call)
    with workspace(call.engine.layout) as scratch:
        path = await spool(call, scratch)

        def act() -> None:
            found = call.engine.images.load(os.fspath(path), platform=call.text("platform") or None)
            for image in found:
                for reference in image.references:
                    lines.tell(stream=f"Loaded image: {reference.familiar}\n")
                if not image.references:
                    lines.tell(stream=f"Loaded image ID: {image.id}\n")

        return await lines.run(act, always=True)
