# SPDX-License-Identifier: MIT
"""The build context (directory, tar, git or URL) as a directory, and its Dockerfile.

Rules: a tar is unpacked by the rules for layers, so no member lies outside. A git context
has no git directory unless the user asks for it.
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from sandbox.builder.errors import StepFailed
from sandbox.dockerfile.dockerignore import IgnoreRules
from sandbox.dockerfile.remote_sources import is_git_context, is_url
from sandbox.errors import RegistryError, SandboxError, UsageError, map_os_errors

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sandbox.builder.request import BuildRequest

STDIN = "-"
_BLOCK = 512
_TIMEOUT = 600


@dataclass(frozen=True)
class Context:
    """A directory, and the Dockerfile's text and path."""

    root: str
    dockerfile: str
    name: str
    ignore: str | None = None
    """The text of .dockerignore."""

    def rules(self) -> IgnoreRules:
        """Return the parsed .dockerignore."""
        return IgnoreRules.parse((self.ignore or "").encode("utf-8", "surrogateescape"))


def open_context(request: BuildRequest, folder: Callable[[str], Path]) -> Context:
    """Return the context of a build; *folder* makes directories of the workspace."""
    context, file = request.context, request.dockerfile
    if context == STDIN and file == STDIN:
        raise UsageError("invalid argument: can't use stdin for both build context and dockerfile")
    text = _standard_input(request) if file == STDIN else None
    if context == STDIN:
        return _from_stream(request, folder)
    if is_git_context(context):
        root = os.fspath(clone(context, folder("git")))
    elif is_url(context):
        return _from_url(request, folder)
    else:
        root = os.path.abspath(context)
        if not os.path.isdir(root):
            reason = "is not a directory" if os.path.exists(root) else "not found"
            raise UsageError(f"unable to prepare context: path {context!r} {reason}")
    return _with_dockerfile(request, root, text, is_local=not is_git_context(context))


def _standard_input(request: BuildRequest) -> str:
    assert request.stdin is not None
    return request.stdin.read().decode("utf-8", "surrogateescape")


def _with_dockerfile(
    request: BuildRequest, root: str, text: str | None, *, is_local: bool
) -> Context:
    file = request.dockerfile
    if text is not None:
        return Context(root, text, "Dockerfile", _ignore_text(root, None))
    if file and is_url(file):
        data = download(file)[0]
        return Context(root, data.decode("utf-8", "surrogateescape"), "Dockerfile")
    if file is None:
        path = os.path.join(root, "Dockerfile")
        if not os.path.exists(path) and os.path.exists(os.path.join(root, "dockerfile")):
            path = os.path.join(root, "dockerfile")
    elif is_local and (os.path.isabs(file) or os.path.exists(file)):
        path = os.path.abspath(file)
    else:
        path = os.path.join(root, file)
    if not os.path.isfile(path):
        name = file or "Dockerfile"
        raise StepFailed(
            f"failed to read dockerfile: open {os.path.basename(name)}: no such file or directory"
        )
    with map_os_errors(f"cannot read {path}"), open(path, "rb") as source:
        content = source.read().decode("utf-8", "surrogateescape")
    shown = file or os.path.basename(path)
    return Context(root, content, os.path.basename(shown), _ignore_text(root, path))


def _ignore_text(root: str, dockerfile: str | None) -> str | None:
    """Return the text of <Dockerfile>.dockerignore, or else of .dockerignore."""
    candidates = [f"{dockerfile}.dockerignore"] if dockerfile else []
    for path in (*candidates, os.path.join(root, ".dockerignore")):
        if os.path.isfile(path):
            with map_os_errors(f"cannot read {path}"), open(path, "rb") as file:
                return file.read().decode("utf-8", "surrogateescape")
    return None


class _Stream(Protocol):
    def read(self, size: int, /) -> bytes: ...


def _from_stream(request: BuildRequest, folder: Callable[[str], Path]) -> Context:
    """Read a tar or a Dockerfile without a context from standard input."""
    if request.stdin is None:
        raise UsageError("no context given on standard input")
    return _from_data(request, request.stdin, folder)


def _from_url(request: BuildRequest, folder: Callable[[str], Path]) -> Context:
    import io

    data, _ = download(request.context)
    return _from_data(request, io.BytesIO(data), folder)


def _from_data(request: BuildRequest, stream: _Stream, folder: Callable[[str], Path]) -> Context:
    import io

    from sandbox.layers.byte_streams import decompressed
    from sandbox.layers.unpack import unpack_layer

    reader = io.BufferedReader(_Raw(decompressed(stream)), 256 * 1024)
    head = reader.peek(_BLOCK)[:_BLOCK]
    if not is_tar(head):
        text = reader.read().decode("utf-8", "surrogateescape")
        return Context(os.fspath(folder("empty")), text, "Dockerfile")
    into = folder("context")
    unpack_layer(reader, into)
    return _with_dockerfile(request, os.fspath(into / "diff"), None, is_local=False)


def is_tar(head: bytes) -> bool:
    """Tell whether *data* is the start of a tar."""
    if len(head) < _BLOCK:
        return False
    digits = head[148:156].strip(b" \0")
    if not digits or digits.strip(b"01234567"):
        return False
    return int(digits, 8) == sum(head[:148]) + 8 * 32 + sum(head[156:_BLOCK])


def _raw_type() -> Any:
    import io

    from sandbox.layers.byte_streams import HashingReader

    class Raw(io.RawIOBase):
        """A raw stream over any object with read()."""

        def __init__(self, source: _Stream) -> None:
            super().__init__()
            self._source = HashingReader(source)

        def readable(self) -> bool:
            return True

        def readinto(self, buffer: Any, /) -> int:
            data = self._source.read(len(buffer))
            buffer[: len(data)] = data
            return len(data)

    return Raw


def _Raw(source: _Stream) -> Any:  # noqa: N802 - makes a class on demand
    return _raw_type()(source)


# ---- git, http --------------------------------------------------------------------------------


def clone(address: str, into: Path, *, keep_git: bool = False) -> Path:
    """Fetch a repository ``URL[#REF[:SUBDIR]]`` and return its directory."""
    url, _, fragment = address.partition("#")
    ref, _, subdir = fragment.partition(":")
    if url.startswith("github.com/"):
        url = f"https://{url}"
    _refuse_offline(url)
    checkout = into / "checkout"
    _git("init", "-q", os.fspath(checkout))
    wanted = _fetch(os.fspath(checkout), url, ref)
    _git("-C", os.fspath(checkout), "checkout", "-q", "--detach", wanted, "--")
    if os.path.exists(checkout / ".gitmodules"):
        _git("-C", os.fspath(checkout), "submodule", "-q", "update", "--init", "--recursive")
    if not keep_git:
        import shutil

        shutil.rmtree(checkout / ".git", ignore_errors=True)
    chosen = os.path.realpath(os.path.join(checkout, subdir.lstrip("/")))
    if not (chosen + "/").startswith(os.path.realpath(checkout) + "/") or not os.path.isdir(chosen):
        raise StepFailed(f"subdir not a directory: {subdir}")
    from pathlib import Path

    return Path(chosen)


def _fetch(checkout: str, url: str, ref: str) -> str:
    """Fetch as little as the server allows; return the revision to check out."""
    for depth in (["--depth=1"], []):
        try:
            _git("-C", checkout, "fetch", "-q", *depth, "--", url, ref or "HEAD")
        except StepFailed:
            continue
        return "FETCH_HEAD"
    # The server does not serve this commit by itself.
    _git("-C", checkout, "fetch", "-q", "--tags", "--", url, "+refs/*:refs/fetched/*")
    return ref


def _git(*arguments: str) -> None:
    import subprocess

    environment = {
        **os.environ,
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_CONFIG_NOSYSTEM": "1",
        "GIT_ALLOW_PROTOCOL": "http:https:git:ssh",
    }
    try:
        done = subprocess.run(
            ["git", "-c", "init.defaultBranch=master", *arguments],
            env=environment, capture_output=True, text=True, check=False, timeout=_TIMEOUT,
            stdin=subprocess.DEVNULL,
        )  # fmt: skip
    except FileNotFoundError:
        raise SandboxError("git is not installed on this machine") from None
    except subprocess.TimeoutExpired:
        raise StepFailed("git did not end in time") from None
    if done.returncode != 0:
        lines = done.stderr.strip().splitlines() or ["git failed"]
        raise StepFailed(
            f"git {arguments[0] if arguments[0] != '-C' else arguments[2]}: {lines[-1]}"
        )


def download(url: str) -> tuple[bytes, float]:
    """Return the content of a URL and the time of its last change (0: unknown)."""
    from email.utils import parsedate_to_datetime

    from sandbox.registry.session import Session

    _refuse_offline(url)
    answer = Session().transport.request("GET", url)
    if answer.status != 200:
        answer.close()
        raise StepFailed(f"failed to load {url}: invalid response status {answer.status}")
    data = answer.document(limit=4 * 1024**3)
    modified = answer.headers.get("Last-Modified", "")
    try:
        return data, parsedate_to_datetime(modified).timestamp() if modified else 0.0
    except (ValueError, TypeError):
        return data, 0.0


def _refuse_offline(url: str) -> None:
    if os.environ.get("SANDBOX_OFFLINE", "") not in ("", "0"):
        host = url.partition("://")[2].partition("/")[0].rpartition("@")[2].partition(":")[0]
        if host not in ("127.0.0.1", "localhost", "::1"):
            raise RegistryError(f"{url}: no connection is made while SANDBOX_OFFLINE is set")
