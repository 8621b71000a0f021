# SPDX-License-Identifier: MIT
"""Who may use the server: the user, but no container and no web page.

How it works: a connection is judged once, by what the kernel says of the other end. On a unix
socket that is a process; on TCP it is the user and the processes that hold the client's
socket. A container may use the server if a bind gave it the socket. Whoever sends the token may use
it over TCP.

Rules: what cannot be found out is refused. Every request over TCP is checked for the marks of a
browser, whoever sends it.

Does not know: what a request asks for.
"""

from __future__ import annotations

import hmac
import os
import socket
from typing import TYPE_CHECKING
from weakref import WeakKeyDictionary

from sandbox.api.errors import ApiError
from sandbox.errors import SandboxError, UsageError, map_os_errors
from sandbox.runtime.process import peers
from sandbox.store.containers import ContainerStore

if TYPE_CHECKING:
    import asyncio
    from collections.abc import Mapping
    from pathlib import Path

    from aiohttp import web

    from sandbox.models.container import ContainerConfig
    from sandbox.store.layout import Layout

_LONGEST_TOKEN = 4096
_NAMES = frozenset({"localhost", "host.docker.internal", "[::1]"})


class Access:
    """The rules of one server, which listens at the socket *address*."""

    def __init__(self, layout: Layout, *, uid: int, address: str, token: str = "") -> None:
        """Serve the user *uid*, and over TCP whoever has the *token*."""
        self._layout = layout
        self._uid = uid
        self._address = address
        self._token = token
        self._judged: WeakKeyDictionary[asyncio.BaseTransport, ApiError | None] = (
            WeakKeyDictionary()
        )

    def check(self, request: web.BaseRequest) -> None:
        """Raise `ApiError` unless the client may use the server."""
        transport = request.transport
        connection = transport.get_extra_info("socket") if transport is not None else None
        if transport is None or connection is None:
            return
        if connection.family != socket.AF_UNIX:
            check_browser(request.headers)
            if self._token:
                self._check_token(request.headers)
                return
        if transport not in self._judged:
            self._judged[transport] = self._judge(connection)
        refusal = self._judged[transport]
        if refusal is not None:
            raise refusal

    def _judge(self, connection: socket.socket) -> ApiError | None:
        try:
            if connection.family == socket.AF_UNIX:
                self._check_process(connection)
            else:
                self._check_stream(connection)
        except ApiError as exc:
            return exc
        except (OSError, SandboxError) as exc:
            return ApiError(403, f"cannot find out who connects: {exc}")
        return None

    def _check_user(self, uid: int) -> None:
        if uid not in (self._uid, 0):
            raise ApiError(403, f"user {uid} may not use the engine of user {self._uid}")

    # ---- unix sockets --------------------------------------------------------------------

    def _check_process(self, connection: socket.socket) -> None:
        peer = peers.peer_of(connection)
        if peer is None:
            raise ApiError(403, "the process that connected has ended")
        self._check_user(peer.uid)
        if peer.is_guest and not self._has_the_socket(peer.container, connection):
            raise ApiError(
                403,
                "a container may not use the engine unless it was given the socket: "
                f"-v {self._address}:/var/run/docker.sock",
            )

    def _has_the_socket(self, identity: str, connection: socket.socket) -> bool:
        if not identity:
            return False
        container = ContainerStore(self._layout).find(identity)
        if not container.config.id.startswith(identity):
            return False  # a container with this name
        bound = os.fsdecode(connection.getsockname())
        places = {self._address} if bound.startswith("/proc/") else {self._address, bound}
        return any(is_shown(container.config, place) for place in places)

    # ---- TCP -----------------------------------------------------------------------------

    def _check_token(self, headers: Mapping[str, str]) -> None:
        scheme, _, value = headers.get("Authorization", "").partition(" ")
        sent = value.strip().encode("utf-8", "surrogateescape")
        if scheme.lower() != "bearer" or not hmac.compare_digest(sent, self._token.encode()):
            raise ApiError(401, "this server wants its token: Authorization: Bearer TOKEN")

    def _check_stream(self, connection: socket.socket) -> None:
        found = peers.uid_of_stream(connection.getpeername()[:2], connection.getsockname()[:2])
        if found is None:
            raise ApiError(403, "the client's socket is not one of this machine")
        uid, inode = found
        self._check_user(uid)
        if uid != self._uid:
            return
        holders = peers.holders_of(inode)
        if not holders or any(peers.is_guest(pid) for pid in holders):
            raise ApiError(403, "a container may not use the engine over TCP without a token")


def is_shown(config: ContainerConfig, path: str) -> bool:
    """Tell whether a bind of the container shows the file *path* of the machine."""
    real = os.path.realpath(path)
    for mount in config.mounts:
        if mount.type == "bind" and mount.source:
            source = os.path.realpath(mount.source)
            if real == source or real.startswith(source.rstrip("/") + "/"):
                return True
    return False


def check_browser(headers: Mapping[str, str]) -> None:
    """Refuse requests of web pages: of a foreign origin, or by a name that leads here.

    Raises `ApiError`.
    """
    if "Origin" in headers or headers.get("Sec-Fetch-Site", "none") != "none":
        raise ApiError(403, "web pages may not use the engine")
    name = host_name(headers.get("Host", ""))
    is_number = name.startswith("127.") and all(part.isdecimal() for part in name.split("."))
    if not (is_number or name in _NAMES or name.endswith(".localhost")):
        raise ApiError(403, f"the engine has no name {name!r}: use 127.0.0.1")


def host_name(host: str) -> str:
    """Return the name in a Host header, without the port.

    >>> host_name("LOCALHOST:2375"), host_name("[::1]:80"), host_name("127.0.0.1")
    ('localhost', '[::1]', '127.0.0.1')
    """
    name, colon, port = host.rpartition(":")
    return (name if colon and port.isdecimal() else host).lower()


def read_token(path: Path) -> str:
    """Return the token in a file, which is made with a random one if it is absent.

    Raises `UsageError` if other users may read it.
    """
    import secrets

    with map_os_errors(f"cannot use the token in {path}"):
        try:
            fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        except FileExistsError:
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK)
        else:
            os.write(fd, secrets.token_urlsafe(32).encode() + b"\n")
            os.close(fd)
            fd = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
        with os.fdopen(fd, "rb") as file:
            status = os.fstat(fd)
            text = file.read(_LONGEST_TOKEN).decode("ascii", "replace").strip()
    if status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise UsageError(f"{path} is not private to you: chmod 600 {path}")
    if len(text) < 16 or not text.isascii() or not text.isprintable() or " " in text:
        raise UsageError(f"{path} does not hold a token of 16 characters or more in one line")
    return text
