# SPDX-License-Identifier: MIT
"""Parsers of RUN, COPY and ADD, the instructions that may have here-documents. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from sandbox.dockerfile.flags import Known
from sandbox.dockerfile.go_text import did_you_mean, quoted
from sandbox.dockerfile.instructions import Add, Command, Copy, Heredoc, Run
from sandbox.dockerfile.lexer import parse_heredoc
from sandbox.dockerfile.run_mounts import parse_mount
from sandbox.dockerfile.words import ArgumentError

if TYPE_CHECKING:
    from sandbox.dockerfile.parse_request import Request

_COPY = Known(("chown", "chmod", "from"), ("link", "parents"), ("exclude",))
_ADD = Known(("chown", "chmod", "checksum"), ("link", "keep-git-dir", "unpack"), ("exclude",))
_RUN = Known(("network", "security"), (), ("mount", "device"))
_NETWORKS = ("default", "none", "host")
_SECURITIES = ("sandbox", "insecure")
_TABS = re.compile(r"^\t+", re.MULTILINE)
_FEWEST = 2  # a source and a destination


@dataclass(frozen=True)
class _Places:
    sources: tuple[str, ...]
    contents: tuple[Heredoc, ...]
    destination: str


def parse_copy(request: Request) -> Copy:
    """COPY source... destination."""
    places = _places(request)
    flags = request.flags(_COPY)
    return Copy(
        sources=places.sources,
        contents=places.contents,
        destination=places.destination,
        chown=flags.text("chown"),
        chmod=flags.text("chmod"),
        from_=flags.text("from"),
        link=bool(flags.switch("link")),
        parents=bool(flags.switch("parents")),
        exclude=flags.list("exclude"),
        **request.common(),
    )


def parse_add(request: Request) -> Add:
    """ADD source... destination."""
    places = _places(request)
    flags = request.flags(_ADD)
    return Add(
        sources=places.sources,
        contents=places.contents,
        destination=places.destination,
        chown=flags.text("chown"),
        chmod=flags.text("chmod"),
        checksum=flags.text("checksum"),
        link=bool(flags.switch("link")),
        keep_git_dir=flags.switch("keep-git-dir"),
        unpack=flags.switch("unpack"),
        exclude=flags.list("exclude"),
        **request.common(),
    )


def parse_run(request: Request) -> Run:
    """RUN command."""
    flags = request.flags(_RUN)
    texts = flags.list("mount")
    command, program = _script(request.command(), request.heredocs)
    return Run(
        command=command,
        heredocs=request.heredocs,
        program=program,
        mount_texts=texts,
        mounts=tuple(parse_mount(text) for text in texts),
        network=_one_of(flags.text("network") or "default", _NETWORKS, "network mode"),
        security=_one_of(flags.text("security") or "sandbox", _SECURITIES, "security mode"),
        devices=flags.list("device"),
        **request.common(),
    )


def _one_of(value: str, allowed: tuple[str, ...], what: str) -> str:
    if value not in allowed:
        raise ArgumentError(did_you_mean(f"unsupported {what} {quoted(value)}", value, allowed))
    return value


def _script(command: Command, heredocs: tuple[Heredoc, ...]) -> tuple[Command, Heredoc | None]:
    if not heredocs:
        return command, None
    first = heredocs[0]
    if parse_heredoc(command.words[0]) is None:
        parts = [command.words[0], *(f"\n{doc.content}{doc.name}" for doc in heredocs)]
        return Command(("".join(parts),), True), None
    content = _chomped(first).content
    if not content.startswith("#!"):
        return Command((content,), True), None
    return Command((f"/dev/pipes/{first.name}",), True), replace(first, content=content)


def _places(request: Request) -> _Places:
    words = request.words()
    if len(words) < _FEWEST:
        raise ArgumentError(
            f"{request.name} requires at least two arguments, but only one was provided."
            " Destination could not be determined"
        )
    *before, destination = words
    if parse_heredoc(destination) is not None:
        raise ArgumentError(f"{request.name} cannot accept a heredoc as a destination")
    begun = {heredoc.name: heredoc for heredoc in request.heredocs}
    sources: list[str] = []
    contents: list[Heredoc] = []
    for word in before:
        heredoc = parse_heredoc(word) if begun and "<<" in word else None
        if heredoc is None or heredoc.name not in begun:
            sources.append(word)
        else:
            contents.append(_chomped(replace(heredoc, content=begun[heredoc.name].content)))
    return _Places(tuple(sources), tuple(contents), destination)


def _chomped(heredoc: Heredoc) -> Heredoc:
    if not heredoc.strip_tabs:
        return heredoc
    return replace(heredoc, content=_TABS.sub("", heredoc.content))
