# SPDX-License-Identifier: MIT
"""``POST /images/{name}/push``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.api.errors import ApiError
from sandbox.errors import ImageNotFound
from sandbox.models.reference import parse_reference

if TYPE_CHECKING:
    from aiohttp import web

    from sandbox.api.call import Call
from sandbox.api.images.progress_lines import ProgressLines
from sandbox.api.images.registry import credentials_of


async def push(call: Call) -> web.StreamResponse:
    """``POST /images/{name}/push``."""
    name, tag = call.args["name"], call.text("tag")
    full = f"{name}:{tag}" if tag else name
    credentials = credentials_of(call)
    everything = not tag and ":" not in name.rpartition("/")[2]
    lines = ProgressLines(call)

    def act() -> None:
        try:
            sent = call.engine.images.push(
                full, all_tags=everything, progress=lines.progress, credentials=credentials
            )
        except ImageNotFound:
            raise ApiError(
                404, f"An image does not exist locally with the tag: {parse_reference(name).name}"
            ) from None
        for item in sent:
            tagged, digest = str(item.reference.tag), str(item.digest)
            lines.tell(status=f"{tagged}: digest: {digest} size: {item.size}")
            lines.tell(progressDetail={}, aux={"Tag": tagged, "Digest": digest, "Size": item.size})

    return await lines.run(act)
