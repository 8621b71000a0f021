# SPDX-License-Identifier: MIT
"""Parsers of all instructions except RUN, COPY and ADD. Pure."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandbox.dockerfile.flags import Known
from sandbox.dockerfile.go_text import SPACES, duration, quoted
from sandbox.dockerfile.instructions import (
    Arg,
    Argument,
    Cmd,
    Entrypoint,
    Env,
    Expose,
    From,
    Health,
    Healthcheck,
    Instruction,
    KeyValue,
    Label,
    Maintainer,
    OnBuild,
    Shell,
    StopSignal,
    User,
    Volume,
    Workdir,
)
from sandbox.dockerfile.words import (
    ArgumentError,
    first_word,
    json_words,
    pairs,
    quoted_words,
    spaced_words,
    split_line,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox.dockerfile.parse_request import Request

_STAGE_NAME = re.compile(r"[a-z][a-z0-9\-_.]*")
_ONBUILD = re.compile(r"\s*ONBUILD\s*", re.IGNORECASE)
_SHORTEST = 1_000_000
_HEALTH = Known(("interval", "timeout", "start-period", "start-interval", "retries"))
_NAMED = 3  # FROM image AS name
_MOST_RETRIES = 2**31


def parse_from(request: Request) -> From:
    """FROM [--platform=...] image [AS name]."""
    words = spaced_words(request.rest)
    written = ""
    if len(words) == _NAMED and words[1].lower() == "as":
        written = words[2]
        if not _STAGE_NAME.fullmatch(written.lower()):
            raise ArgumentError(
                f"invalid name for build stage: {quoted(written)}, name can't start with a"
                " number or contain symbols"
            )
    elif len(words) != 1:
        raise ArgumentError("FROM requires either one or three arguments")
    return From(
        image=words[0],
        platform=request.flags(Known(("platform",))).text("platform"),
        name=written.lower(),
        name_as_written=written,
        as_keyword=words[1] if written else "",
        **request.common(),
    )


def parse_arg(request: Request) -> Arg:
    """ARG name[=default]..."""
    request.flags()
    words = quoted_words(request.rest, request.escape)
    if not words:
        raise request.at_least_one()
    arguments = []
    for word in words:
        name, equals, default = word.partition("=")
        if not name:
            raise ArgumentError("ARG names can not be blank")
        arguments.append(Argument(name, default if equals else None))
    return Arg(arguments=tuple(arguments), **request.common())


def parse_env(request: Request) -> Env:
    """ENV key=value..."""
    return Env(pairs=_pairs(request), **request.common())


def parse_label(request: Request) -> Label:
    """LABEL key=value..."""
    return Label(pairs=_pairs(request), **request.common())


def _pairs(request: Request) -> tuple[KeyValue, ...]:
    request.flags()
    found = pairs(request.rest, request.name, request.escape)
    if not found:
        raise request.at_least_one()
    if not all(pair.key for pair in found):
        raise ArgumentError(f"{request.name} names can not be blank")
    return found


def parse_workdir(request: Request) -> Workdir:
    """WORKDIR path."""
    request.flags()
    return Workdir(path=request.text(), **request.common())


def parse_user(request: Request) -> User:
    """USER user[:group]."""
    request.flags()
    return User(user=request.text(), **request.common())


def parse_maintainer(request: Request) -> Maintainer:
    """MAINTAINER name."""
    request.flags()
    return Maintainer(name=request.text(), **request.common())


def parse_stop_signal(request: Request) -> StopSignal:
    """STOPSIGNAL signal."""
    request.flags()
    return StopSignal(signal=request.text(), **request.common())


def parse_expose(request: Request) -> Expose:
    """EXPOSE port..."""
    request.flags()
    words = spaced_words(request.rest)
    if not words:
        raise request.at_least_one()
    return Expose(ports=tuple(sorted(words)), **request.common())


def parse_volume(request: Request) -> Volume:
    """VOLUME path..."""
    request.flags()
    words = request.words()
    if not words:
        raise request.at_least_one()
    paths = tuple(word.strip(SPACES) for word in words)
    if not all(paths):
        raise ArgumentError("VOLUME specified can not be an empty string")
    return Volume(paths=paths, **request.common())


def parse_cmd(request: Request) -> Cmd:
    """CMD command."""
    request.flags()
    return Cmd(command=request.command(), **request.common())


def parse_entrypoint(request: Request) -> Entrypoint:
    """ENTRYPOINT command."""
    request.flags()
    return Entrypoint(command=request.command(), **request.common())


def parse_shell(request: Request) -> Shell:
    """SHELL ["word", ...]."""
    request.flags()
    words = json_words(request.rest)
    if words is None and request.rest:
        raise ArgumentError("SHELL requires the arguments to be in JSON form")
    if not words:
        raise request.at_least_one()
    return Shell(words=words, **request.common())


def parse_onbuild(request: Request) -> OnBuild:
    """ONBUILD instruction."""
    request.flags()
    if not request.rest:
        raise request.at_least_one()
    inner = split_line(request.rest)
    trigger = inner.keyword.upper()
    if trigger == "ONBUILD":
        raise ArgumentError("Chaining ONBUILD via `ONBUILD ONBUILD` isn't allowed")
    if trigger in ("MAINTAINER", "FROM"):
        raise ArgumentError(f"{trigger} isn't allowed as an ONBUILD trigger")
    expression = _ONBUILD.sub("", request.line.text, count=1)
    for heredoc in request.heredocs:
        expression += f"\n{heredoc.content}{heredoc.name}"
    return OnBuild(expression=expression, **request.common())


def parse_healthcheck(request: Request) -> Healthcheck:
    """HEALTHCHECK [options] CMD command, or HEALTHCHECK NONE."""
    if not request.rest:
        raise request.at_least_one()
    kind, rest = first_word(request.rest)
    flags = request.flags(_HEALTH)
    if kind.upper() == "NONE":
        if rest:
            raise ArgumentError("HEALTHCHECK NONE takes no arguments")
        return Healthcheck(health=Health(("NONE",)), **request.common())
    if kind.upper() != "CMD":
        raise ArgumentError(f"unknown type {quoted(kind.upper())} in HEALTHCHECK (try CMD)")
    words = json_words(rest)
    if not words and (words is not None or not rest):
        raise ArgumentError("missing command after HEALTHCHECK CMD")
    health = Health(
        ("CMD-SHELL", rest) if words is None else ("CMD", *words),
        interval=_interval("interval", flags.text("interval")),
        timeout=_interval("timeout", flags.text("timeout")),
        start_period=_interval("start-period", flags.text("start-period")),
        start_interval=_interval("start-interval", flags.text("start-interval")),
        retries=_retries(flags.text("retries")),
    )
    return Healthcheck(health=health, **request.common())


def _interval(name: str, text: str) -> int:
    if not text:
        return 0
    try:
        found = duration(text)
    except ValueError as exc:
        raise ArgumentError(str(exc)) from exc
    if found != 0 and found < _SHORTEST:
        raise ArgumentError(f"Interval {quoted(name)} cannot be less than 1ms")
    return found


def _retries(text: str) -> int:
    if not text:
        return 0
    if not re.fullmatch(r"[+-]?[0-9]{1,20}", text):
        raise ArgumentError(f"strconv.ParseInt: parsing {quoted(text)}: invalid syntax")
    if int(text) < 0:
        raise ArgumentError(f"--retries cannot be negative ({int(text)})")
    if int(text) >= _MOST_RETRIES:
        raise ArgumentError(f"strconv.ParseInt: parsing {quoted(text)}: value out of range")
    return int(text)


SIMPLE: dict[str, Callable[[Request], Instruction]] = {
    "arg": parse_arg,
    "cmd": parse_cmd,
    "entrypoint": parse_entrypoint,
    "env": parse_env,
    "expose": parse_expose,
    "from": parse_from,
    "healthcheck": parse_healthcheck,
    "label": parse_label,
    "maintainer": parse_maintainer,
    "onbuild": parse_onbuild,
    "shell": parse_shell,
    "stopsignal": parse_stop_signal,
    "user": parse_user,
    "volume": parse_volume,
    "workdir": parse_workdir,
}
