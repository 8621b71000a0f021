# SPDX-License-Identifier: MIT
"""Changes to an image's configuration, written as Dockerfile instructions. Pure.

``import --change`` and ``commit --change`` accept CMD, ENTRYPOINT, ENV, EXPOSE, HEALTHCHECK,
LABEL, ONBUILD, STOPSIGNAL, USER, VOLUME and WORKDIR. Arguments are parsed as in a Dockerfile: a
JSON list of strings, or words with quotes and backslashes.
"""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING

import msgspec

from sandbox.errors import UsageError
from sandbox.models.oci import Healthcheck, RunConfig

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_SHELL = ["/bin/sh", "-c"]
_PORT = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?(?:/(tcp|udp|sctp))?", re.ASCII)
_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_UNITS = {
    "ns": 1,
    "us": 10**3,
    "µs": 10**3,
    "ms": 10**6,
    "s": 10**9,
    "m": 60 * 10**9,
    "h": 3600 * 10**9,
}
_LAST_PORT = 65535


def apply_changes(config: RunConfig, instructions: Iterable[str]) -> RunConfig:
    """Return *config* after *instructions*, applied in order. Raises UsageError.

    >>> apply_changes(RunConfig(), ["CMD echo hi", "ENV A=1"]).cmd
    ['/bin/sh', '-c', 'echo hi']
    """
    for instruction in instructions:
        word, _, rest = instruction.strip().partition(" ")
        change = _CHANGES.get(word.upper())
        if change is None:
            raise UsageError(f"{word} is not a valid change command")
        if not rest.strip():
            raise UsageError(f"{word.upper()} requires at least one argument")
        config = change(config, rest.strip())
    return config


def split_words(text: str) -> list[str]:
    r"""Split *text* at blanks. Quotes group words; a backslash escapes one character.

    >>> split_words("a='b c' d\\ e")
    ['a=b c', 'd e']
    """
    words: list[str] = []
    word: list[str] | None = None
    quote = ""
    chars = iter(text)
    for char in chars:
        if char == "\\" and quote != "'":
            word = [*(word or []), next(chars, "\\")]
        elif quote:
            if char == quote:
                quote = ""
            else:
                word = [*(word or []), char]
        elif char in "\"'":
            quote, word = char, word or []
        elif char.isspace():
            if word is not None:
                words.append("".join(word))
            word = None
        else:
            word = [*(word or []), char]
    if quote:
        raise UsageError(f"unexpected end of statement while looking for {quote}")
    return words if word is None else [*words, "".join(word)]


def _exec_form(text: str) -> list[str] | None:
    if not text.startswith("["):
        return None
    try:
        return msgspec.json.decode(text.encode(), type=list[str])
    except (msgspec.MsgspecError, RecursionError, UnicodeError):
        return None  # as in Docker, an invalid list is a shell command


def _command(config: RunConfig, text: str) -> list[str]:
    words = _exec_form(text)
    return [*(config.shell or _SHELL), text] if words is None else words


def _pairs(word: str, text: str) -> dict[str, str]:
    words = split_words(text)
    if "=" not in words[0]:
        name, _, value = text.partition(" ")  # the old form: ENV name value
        if not value.strip():
            raise UsageError(f"{word} must have two arguments")
        return {name: value.strip()}
    pairs = [item.partition("=") for item in words]
    for name, equals, _ in pairs:
        if not equals:
            raise UsageError(
                f"syntax error: can't find = in {name!r}, must be of the form: name=value"
            )
        if not name:
            raise UsageError(f"{word} names can not be blank")
    return {name: value for name, _, value in pairs}


def _cmd(config: RunConfig, text: str) -> RunConfig:
    return msgspec.structs.replace(config, cmd=_command(config, text))


def _entrypoint(config: RunConfig, text: str) -> RunConfig:
    return msgspec.structs.replace(config, entrypoint=_command(config, text))


def _env(config: RunConfig, text: str) -> RunConfig:
    new = _pairs("ENV", text)
    old = dict(item.partition("=")[::2] for item in config.env or [])
    return msgspec.structs.replace(
        config, env=[f"{name}={value}" for name, value in {**old, **new}.items()]
    )


def _label(config: RunConfig, text: str) -> RunConfig:
    labels = {**(config.labels or {}), **_pairs("LABEL", text)}
    return msgspec.structs.replace(config, labels=labels)


def _expose(config: RunConfig, text: str) -> RunConfig:
    ports = dict(config.exposed_ports or {})
    for word in split_words(text):
        match = _PORT.fullmatch(word)
        first = int(match[1]) if match else -1
        last = int(match[2] or first) if match else -1
        if match is None or not 0 <= first <= last <= _LAST_PORT:
            raise UsageError(f"invalid containerPort: {word}")
        for port in range(first, last + 1):
            ports[f"{port}/{match[3] or 'tcp'}"] = {}
    return msgspec.structs.replace(config, exposed_ports=ports)


def _volume(config: RunConfig, text: str) -> RunConfig:
    words = _exec_form(text)
    paths = split_words(text) if words is None else words
    if not all(path.strip() for path in paths):
        raise UsageError("VOLUME specified can not be an empty string")
    volumes = {**(config.volumes or {}), **{path: {} for path in paths}}
    return msgspec.structs.replace(config, volumes=volumes)


def _workdir(config: RunConfig, text: str) -> RunConfig:
    path = posixpath.normpath(posixpath.join("/", config.working_dir, _one(text)))
    return msgspec.structs.replace(config, working_dir="/" + path.lstrip("/"))


def _user(config: RunConfig, text: str) -> RunConfig:
    return msgspec.structs.replace(config, user=_one(text))


def _stop_signal(config: RunConfig, text: str) -> RunConfig:
    return msgspec.structs.replace(config, stop_signal=_one(text))


def _on_build(config: RunConfig, text: str) -> RunConfig:
    return msgspec.structs.replace(config, on_build=[*(config.on_build or []), text])


def _healthcheck(config: RunConfig, text: str) -> RunConfig:
    options: dict[str, str] = {}
    while text.startswith("--"):
        option, _, text = text.partition(" ")
        name, _, value = option[2:].partition("=")
        options[name], text = value, text.lstrip()
    kind, _, rest = text.partition(" ")
    if kind.upper() == "NONE":
        return msgspec.structs.replace(config, healthcheck=Healthcheck(["NONE"]))
    if kind.upper() != "CMD" or not rest.strip():
        raise UsageError(f"unknown type {kind!r} in HEALTHCHECK (try CMD)")
    words = _exec_form(rest.strip())
    test = ["CMD-SHELL", rest.strip()] if words is None else ["CMD", *words]
    check = _timed(Healthcheck(test), options)
    return msgspec.structs.replace(config, healthcheck=check)


def _timed(check: Healthcheck, options: dict[str, str]) -> Healthcheck:
    fields: dict[str, int] = {}
    for name, value in options.items():
        field = name.replace("-", "_")
        if field == "retries" and value.isdecimal():
            fields[field] = int(value)
        elif field in ("interval", "timeout", "start_period", "start_interval"):
            fields[field] = _nanoseconds(value)
        else:
            raise UsageError(f"HEALTHCHECK: bad flag --{name}={value}")
    return msgspec.structs.replace(check, **fields)


def _nanoseconds(text: str) -> int:
    parts = _DURATION.findall(text)
    if not parts or "".join(number + unit for number, unit in parts) != text:
        raise UsageError(f"invalid duration {text!r}")
    return sum(int(float(number) * _UNITS[unit]) for number, unit in parts)


def _one(text: str) -> str:
    words = split_words(text)
    if len(words) != 1:
        raise UsageError(f"expected exactly one argument, got {text!r}")
    return words[0]


_CHANGES: dict[str, Callable[[RunConfig, str], RunConfig]] = {
    "CMD": _cmd,
    "ENTRYPOINT": _entrypoint,
    "ENV": _env,
    "EXPOSE": _expose,
    "HEALTHCHECK": _healthcheck,
    "LABEL": _label,
    "ONBUILD": _on_build,
    "STOPSIGNAL": _stop_signal,
    "USER": _user,
    "VOLUME": _volume,
    "WORKDIR": _workdir,
}
