# SPDX-License-Identifier: MIT
"""The endpoints of images that need neither a registry nor archives."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from sandbox.api.bodies import ContainerBody
from sandbox.api.containers.create_request import run_config_of
from sandbox.api.errors import ApiError, BadRequest
from sandbox.api.query import Filters, as_flags, flag_filter
from sandbox.engine.containers.commit import CommitRequest
from sandbox.engine.images.inspect import describe_image, summarize_image
from sandbox.errors import ImageNotFound, SandboxError
from sandbox.models.oci import seconds_of, timestamp
from sandbox.models.reference import parse_reference
from sandbox.models.timestamps import NEVER

if TYPE_CHECKING:
    from aiohttp import web

    from sandbox.api.call import Call
    from sandbox.models.image import Image


async def list_all(call: Call) -> web.StreamResponse:
    """``GET /images/json``."""
    wanted = as_flags(call.filters())
    name = call.text("filter") or None

    def look() -> list[dict[str, Any]]:
        found = call.engine.images.list(name, filters=wanted)
        return [summarize_image(item) for item in found if not item.is_host]

    return call.json(await call.work.look(look))


async def inspect(call: Call) -> web.StreamResponse:
    """``GET /images/{name}/json``."""
    image = await find(call, call.args["name"])
    shown = describe_image(image)
    if image.is_host:  # the machine's own tree
        shown["Created"] = timestamp()
    shown["Metadata"] = {"LastTagTime": _came(call, image)}
    return call.json(shown)


def _came(call: Call, image: Image) -> str:
    """Return the time since which an image has its names."""
    if image.is_host:
        return timestamp()
    if not image.repo_tags:
        return NEVER
    path = call.engine.layout.home(image.id).image(image.id)
    try:
        return timestamp(datetime.fromtimestamp(path.stat().st_mtime, UTC))
    except OSError:
        return NEVER


async def find(call: Call, name: str) -> Image:
    """Return an image; raise a 404 in Docker's words if it is absent."""
    try:
        return await call.work.look(call.engine.images.get, name)
    except ImageNotFound:
        raise ApiError(404, f"No such image: {shown_name(name)}") from None


def shown_name(name: str) -> str:
    """Return a name in the form of Docker's errors."""
    try:
        return parse_reference(name).with_default_tag().familiar
    except SandboxError:
        return name


async def history(call: Call) -> web.StreamResponse:
    """``GET /images/{name}/history``."""
    image = await find(call, call.args["name"])
    steps = await call.work.look(call.engine.images.history, image.id)
    return call.json(
        [
            {
                "Id": image.id if number == 0 else "<missing>",
                "Created": int(seconds_of(step.created)),
                "CreatedBy": step.created_by,
                "Tags": (image.familiar_tags or None) if number == 0 else None,
                "Size": size,
                "Comment": step.comment,
            }
            for number, (step, size) in enumerate(steps)
        ]
    )


async def tag(call: Call) -> web.StreamResponse:
    """``POST /images/{name}/tag``."""
    repository, name = call.text("repo"), call.text("tag")
    if not repository:
        raise BadRequest("invalid reference format: repository name must have at least 1 component")
    image = await find(call, call.args["name"])
    target = f"{repository}:{name}" if name else repository
    await call.work.act(call.engine.images.tag, _meant(call.args["name"], image), target)
    return call.empty(201)


def _meant(name: str, image: Image) -> str:
    return "host" if image.is_host else (name if not image.id.endswith(name) else image.id)


async def remove(call: Call) -> web.StreamResponse:
    """``DELETE /images/{name}``."""
    name = call.args["name"]
    await find(call, name)
    removal = await call.work.act(call.engine.images.remove, name, force=call.flag("force"))
    return call.json(
        [{"Untagged": text} for text in removal.untagged]
        + [{"Deleted": str(digest)} for digest in removal.deleted]
    )


async def prune(call: Call) -> web.StreamResponse:
    """``POST /images/prune``."""
    wanted = call.filters()
    dangling = flag_filter(wanted, "dangling")
    rest: Filters = {key: values for key, values in wanted.items() if key != "dangling"}
    pruned = await call.work.act(
        call.engine.images.prune, everything=dangling is False, filters=as_flags(rest)
    )
    deleted = [{"Untagged": text} for text in pruned.untagged]
    deleted += [{"Deleted": text} for text in pruned.deleted]
    return call.json({"ImagesDeleted": deleted or None, "SpaceReclaimed": pruned.freed})


async def commit(call: Call) -> web.StreamResponse:
    """``POST /commit``; the body is a configuration, and ``changes`` override it."""
    container = call.text("container")
    if not container:
        raise BadRequest("the parameter container is needed")
    wanted = run_config_of(await call.body(ContainerBody, empty=ContainerBody()))
    repository, name = call.text("repo"), call.text("tag")
    reference = f"{repository}:{name}" if repository and name else repository or None
    changes = [line for text in call.texts("changes") for line in text.splitlines() if line]
    request = CommitRequest(
        reference=reference,
        author=call.text("author"),
        message=call.text("comment"),
        changes=changes,
        wanted=wanted,
    )
    image_id = await call.work.act(call.engine.containers.commit, container, request)
    return call.json({"Id": image_id}, 201)
