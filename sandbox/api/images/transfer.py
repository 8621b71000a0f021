# SPDX-License-Identifier: MIT
"""The endpoints that move images: pull, push, import, save, load, search, login.

Rules: what is told while it goes on is a line of JSON each; a failure after the first line
is one of them, as clients expect.
"""

from __future__ import annotations

import asyncio
import base64
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import msgspec

from sandbox.api.bodies import AuthBody
from sandbox.api.call import encode
from sandbox.api.errors import ApiError, BadRequest, message_of, printable
from sandbox.api.images import images
from sandbox.api.thread_pools import Sink
from sandbox.dockerfile.platforms import PlatformName, parse_platform
from sandbox.engine.facts import architecture
from sandbox.errors import AuthFailed, ImageNotFound, SandboxError
from sandbox.models.reference import parse_reference
from sandbox.store.atomic_files import workspace

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiohttp import web

    from sandbox.api.call import Call
    from sandbox.registry.credentials import Credentials

_TAR = "application/x-tar"


class Lines:
    """Lines of JSON from a thread to a client; the head is sent with the first."""

    def __init__(self, call: Call) -> None:
        """Send nothing yet."""
        self._call = call
        self._loop = asyncio.get_running_loop()
        self._response: web.StreamResponse | None = None
        self._last: dict[str, int] = {}

    def tell(self, **line: Any) -> None:
        """Send one line, from a thread."""
        asyncio.run_coroutine_threadsafe(self.send(line), self._loop).result()

    async def send(self, line: dict[str, Any]) -> None:
        """Send one line, from the loop."""
        if self._response is None:
            self._response = await self._call.stream()
        await self._response.write(encode(line) + b"\r\n")

    def progress(self, name: str, status: str, done: int = 0, total: int = 0) -> None:
        """Tell how far a transfer is; not every byte of it."""
        if done and done < total and done - self._last.get(name, 0) < total // 50:
            return
        self._last[name] = done
        line: dict[str, Any] = {"status": status}
        if name:
            line["id"] = name
            line["progressDetail"] = {"current": done, "total": total} if total else {}
        self.tell(**line)

    async def run(
        self, function: Callable[[], None], *, always: bool = False
    ) -> web.StreamResponse:
        """Do *function* in a thread and end the answer, whatever it raises.

        A failure is the answer's status if nothing has been sent, but not with *always*.
        """
        try:
            await self._call.work.alone(function)
        except SandboxError as exc:
            if self._response is None and not always:
                raise
            text = printable(message_of(exc))
            await self.send({"errorDetail": {"message": text}, "error": text})
        if self._response is None:
            self._response = await self._call.stream()
        await self._response.write_eof()
        return self._response


def credentials_of(call: Call) -> Credentials | None:
    """Return what X-Registry-Auth says; None if that is nothing."""
    from sandbox.registry.credentials import Credentials

    text = call.request.headers.get("X-Registry-Auth", "")
    if not text:
        return None
    try:
        padded = text + "=" * (-len(text) % 4)
        body = msgspec.json.decode(base64.urlsafe_b64decode(padded) or b"{}", type=AuthBody)
    except (ValueError, msgspec.MsgspecError):
        raise BadRequest("invalid X-Registry-Auth header") from None
    if not (body.username or body.identitytoken):
        return None
    return Credentials(body.username or "", body.password or "", body.identitytoken or "")


# ---- pull, import -----------------------------------------------------------------------------


async def create(call: Call) -> web.StreamResponse:
    """``POST /images/create``: pull, or import if ``fromSrc`` is given."""
    if call.text("fromSrc"):
        return await _import(call)
    name, tag = call.text("fromImage"), call.text("tag")
    if not name:
        raise BadRequest("fromImage or fromSrc is needed")
    full = f"{name}@{tag}" if ":" in tag else f"{name}:{tag}" if tag else name
    everything = not tag and ":" not in name.rpartition("/")[2] and "@" not in name
    parse_reference(name if everything else full)
    if call.text("platform"):
        parse_platform(call.text("platform"), default=PlatformName("linux", architecture()))
    credentials = credentials_of(call)
    lines = Lines(call)

    def act() -> None:
        found = call.engine.pull_image(
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


async def _import(call: Call) -> web.StreamResponse:
    if call.text("fromSrc") != "-":
        raise ApiError(501, "importing from a URL is not supported: send the archive itself")
    repository, tag = call.text("repo"), call.text("tag")
    reference = f"{repository}:{tag}" if repository and tag else repository or None
    changes = [line for text in call.texts("changes") for line in text.splitlines() if line]
    lines = Lines(call)
    with workspace(call.engine.layout) as scratch:
        path = await spool(call, scratch)

        def act() -> None:
            image_id = call.engine.import_image(
                os.fspath(path),
                reference=reference,
                changes=changes,
                message=call.text("message") or "Imported from -",
                platform=call.text("platform") or None,
            )
            lines.tell(status=str(image_id))

        return await lines.run(act)


async def spool(call: Call, scratch: Path) -> Path:
    """Keep the request's body in a file of *scratch*."""
    path = scratch / "body"
    with path.open("xb") as file:
        async for piece in call.request.content.iter_any():
            try:
                file.write(piece)
            except OSError as exc:
                from sandbox.errors import from_os_error

                raise from_os_error(exc, doing="cannot keep the request") from exc
    return path


async def push(call: Call) -> web.StreamResponse:
    """``POST /images/{name}/push``."""
    name, tag = call.args["name"], call.text("tag")
    full = f"{name}:{tag}" if tag else name
    credentials = credentials_of(call)
    everything = not tag and ":" not in name.rpartition("/")[2]
    lines = Lines(call)

    def act() -> None:
        try:
            sent = call.engine.push_image(
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


# ---- archives ---------------------------------------------------------------------------------


async def get(call: Call) -> web.StreamResponse:
    """``GET /images/get`` and ``GET /images/{name}/get``."""
    names = [call.args["name"]] if "name" in call.args else call.texts("names")
    names = [part for name in names for part in name.split(",") if part]
    if not names:
        raise BadRequest("no images to save")
    for name in names:
        await images.find(call, name)
    return await send_tar(call, lambda write: call.engine.save_images(names, write))


async def send_tar(
    call: Call, produce: Callable[[Callable[[bytes], object]], None], **headers: str
) -> web.StreamResponse:
    """Send what *produce* writes in a thread; a failure before the first byte is told."""
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
    lines = Lines(call)
    with workspace(call.engine.layout) as scratch:
        path = await spool(call, scratch)

        def act() -> None:
            found = call.engine.load_images(os.fspath(path), platform=call.text("platform") or None)
            for image in found:
                for reference in image.references:
                    lines.tell(stream=f"Loaded image: {reference.familiar}\n")
                if not image.references:
                    lines.tell(stream=f"Loaded image ID: {image.id}\n")

        return await lines.run(act, always=True)


# ---- registries -------------------------------------------------------------------------------


async def search(call: Call) -> web.StreamResponse:
    """``GET /images/search``."""
    term = call.text("term")
    if not term:
        raise BadRequest("the parameter term is needed")
    found = await call.work.act(call.engine.search, term, limit=call.number("limit") or 25)
    return call.json(found)


async def auth(call: Call) -> web.StreamResponse:
    """``POST /auth``: the client keeps what is valid, not the server."""
    body = await call.body(AuthBody)
    where = body.serveraddress
    try:
        await call.work.act(
            call.engine.check_login, where, body.username or "", body.password or ""
        )
    except AuthFailed:
        place = (where or "https://index.docker.io/v1/").rstrip("/")
        text = f"login attempt to {place}/v2/ failed with status: 401 Unauthorized"
        raise ApiError(401, text) from None
    return call.json({"Status": "Login Succeeded", "IdentityToken": ""})


async def distribution(call: Call) -> web.StreamResponse:
    """``GET /distribution/{name}/json``."""
    found = await call.work.act(
        call.engine.distribution, call.args["name"], credentials=credentials_of(call)
    )
    return call.json(found)
