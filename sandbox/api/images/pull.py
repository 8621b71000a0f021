# SPDX-License-Identifier: MIT
"""``POST /images/create``: pull, or import."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.api.errors import BadRequest
from sandbox.dockerfile.platforms import PlatformName, parse_platform
from sandbox.engine.system.info import architecture
from sandbox.models.reference import parse_reference

if TYPE_CHECKING:
    from aiohttp import web

    from sandbox.api.call import Call
from sandbox.api.images.archives import import_archive
from sandbox.api.images.progress_lines import ProgressLines
from sandbox.api.images.registry import credentials_of


async def create(call: Call) -> web.StreamResponse:
    """``POST /images/create``: pull, or import if ``fromSrc`` is given."""
    if call.text("fromSrc"):
        return await import_archive(call)
    name, tag = call.text("fromImage"), call.text("tag")
    if not name:
        raise BadRequest("fromImage or fromSrc is needed")
    full = f"{name}@{tag}" if ":" in tag else f"{name}:{tag}" if tag else name
    everything = not tag and ":" not in name.rpartition("/")[2] and "@" not in name
    parse_reference(name if everything else full)
    if call.text("platform"):
        parse_platform(call.text("platform"), default=PlatformName("linux", architecture()))
    credentials = credentials_of(call)
    lines = ProgressLines(call)

    def act() -> None:
        found = call.engine.images.pull(
            full,
            platform=call.text("platform") or None,
            all_tags=everything,
            progress=lines.progress,
            credentials=credentials,
        )
        for item in found:
            done = "Downloaded newer image for" if item.is_new else "Image is up to date for"
            lines.tell(status=f"Digest: {item.digest}")
            lines.tell(status=f"Status: {done} {item.reference.familiar}")

    return await lines.run(act)
