# SPDX-License-Identifier: MIT
"""The request of a build, and the parsing of its options. Pure.

Does not know: the command line, the HTTP API.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, BinaryIO

from sandbox.errors import Unsupported, UsageError
from sandbox.models.network import BUILD

if TYPE_CHECKING:
    from collections.abc import Mapping

    from sandbox.builder.errors import BuildFailed
    from sandbox.models.container import MountPoint, Ulimit
    from sandbox.models.lockfile import Lockfile

_IMAGES = ("docker", "image", "oci")
YES = ("true", "1")
# Further fields of an image output, with the only value that each may have.
_CHOICES = {
    "compression": ("gzip",),
    "force-compression": ("false", "0"),
    "image-manifest": YES,
    "oci-mediatypes": YES,
    "rewrite-timestamp": YES,
    "store": YES,
    "tar": YES,
    "unpack": (*YES, "false", "0"),
}
OUTPUTS = ("docker", "image", "oci", "local", "tar", "cacheonly")


@dataclass(frozen=True)
class Secret:
    """A secret: a file of the host, or bytes from a variable."""

    id: str
    path: str = ""
    value: bytes | None = None


@dataclass(frozen=True)
class SshAgent:
    """An agent's socket, by id."""

    id: str
    socket: str


@dataclass(frozen=True)
class Output:
    """One output of the build; *dest* is a path, or "-" for standard output."""

    kind: str
    dest: str = ""
    names: tuple[str, ...] = ()
    """Additional names of the image."""
    push: bool = False
    annotations: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class RemoteCache:
    """A remote cache: ``type=registry|local|inline``."""

    kind: str
    options: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildRequest:
    """One build."""

    context: str = "."
    stdin: BinaryIO | None = None
    """The stream that "-" means, as context or as Dockerfile."""
    dockerfile: str | None = None
    tags: tuple[str, ...] = ()
    build_args: Mapping[str, str] = field(default_factory=dict)
    target: str | None = None
    no_cache: bool = False
    no_cache_filter: tuple[str, ...] = ()
    pull: bool = False
    lock: Lockfile | None = None
    """Named contexts, which replace images of the same name."""
    platform: str | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)
    secrets: tuple[Secret, ...] = ()
    ssh: tuple[SshAgent, ...] = ()
    hosts: tuple[tuple[str, str], ...] = ()
    network: str = BUILD
    outputs: tuple[Output, ...] = ()
    squash: bool = False
    contexts: Mapping[str, str] = field(default_factory=dict)
    volumes: tuple[MountPoint, ...] = ()
    ulimits: tuple[Ulimit, ...] = ()
    memory: int = 0
    cache_from: tuple[RemoteCache, ...] = ()
    cache_to: tuple[RemoteCache, ...] = ()
    jobs: int = 0
    check: bool = False
    epoch: int | None = None
    every_step: bool = False
    """Report every instruction, numbered through all stages, as the classic builder did."""


@dataclass(frozen=True, slots=True, kw_only=True)
class BuildResult:
    """The result of a build; *image_id* is empty if the store got no image."""

    image_id: str = ""
    digest: str = ""
    names: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    """Warnings: one line each after a build; with their place in the file after a check."""
    error: BuildFailed | None = None
    """The error with which a build would end, found by a check."""


def parse_fields(text: str, option: str) -> dict[str, str]:
    """Return the fields of ``a=b,c=d``, which may be quoted as in CSV.

    >>> parse_fields("type=local,dest=out", "--output")
    {'type': 'local', 'dest': 'out'}
    """
    import csv

    try:
        [row] = csv.reader([text], strict=True)
    except (csv.Error, ValueError):
        raise UsageError(f"invalid value {text!r} for {option}") from None
    fields = {}
    for item in row:
        key, equals, value = item.partition("=")
        if not equals:
            raise UsageError(f"invalid field '{item}' in {option}: must be a key=value pair")
        name = key.strip()
        fields[name if name.startswith("annotation") else name.lower()] = value
    return fields


def parse_secret(text: str, environ: Mapping[str, str]) -> Secret:
    """Return the secret of ``id=NAME[,src=FILE|,env=VARIABLE]``."""
    fields = parse_fields(text, "--secret")
    kind = fields.pop("type", "")
    name = fields.pop("id", "")
    path = fields.pop("src", "") or fields.pop("source", "")
    variable = fields.pop("env", "")
    if fields:
        raise UsageError(f"unexpected key '{next(iter(fields))}' in --secret {text}")
    if kind not in ("", "file", "env"):
        raise UsageError(f"unsupported secret type {kind!r}")
    if kind == "env" and not variable:
        variable, path = path or name, ""
    if variable and not path:
        if variable not in environ:
            raise UsageError(f"secret {name or variable}: the variable {variable} is not set")
        return Secret(name or variable, value=environ[variable].encode("utf-8", "surrogateescape"))
    if not path and not kind and name in environ:
        return Secret(name, value=environ[name].encode("utf-8", "surrogateescape"))
    if not path:
        path = name
    return Secret(name or path, path=path)


def parse_ssh(text: str, environ: Mapping[str, str]) -> SshAgent:
    """Return the agent of ``default`` or ``id=SOCKET``."""
    name, _, path = text.partition("=")
    socket = path or environ.get("SSH_AUTH_SOCK", "")
    if not socket:
        raise UsageError(f"invalid empty ssh agent socket: make sure SSH_AUTH_SOCK is set ({text})")
    return SshAgent(name or "default", socket)


def parse_host(text: str) -> tuple[str, str]:
    """Return (name, address) of ``NAME:ADDRESS`` or ``NAME=ADDRESS``.

    >>> parse_host("db=10.0.0.1"), parse_host("six:[::1]")
    (('db', '10.0.0.1'), ('six', '::1'))
    """
    import ipaddress

    cut = "=" if "=" in text else ":"
    name, _, address = text.partition(cut)
    plain = address.removeprefix("[").removesuffix("]")
    try:
        ipaddress.ip_address(plain)
    except ValueError:
        raise UsageError(f"invalid IP address in add-host: {plain!r}") from None
    if not name:
        raise UsageError(f"bad format for add-host: {text!r}")
    return name, plain


def parse_output(text: str) -> Output:
    """Return the output of ``type=...,dest=...``, a directory, or ``-``.

    >>> parse_output("out").kind, parse_output("-").kind
    ('local', 'tar')
    """
    if text == "-":
        return Output("tar", "-")
    if "=" not in text:
        return Output("local", text)
    fields = parse_fields(text, "--output")
    kind = fields.pop("type", "")
    if kind == "registry":
        kind, fields = "image", {**fields, "push": "true"}
    if kind not in OUTPUTS:
        raise UsageError(f"exporter {kind!r} could not be found" if kind else "type is required")
    dest = fields.pop("dest", "")
    if kind == "local" and not dest:
        raise UsageError("dest is required for local exporter")
    if kind in ("oci", "tar") and not dest:
        dest = "-"
    annotations: dict[str, str] = {}
    pushed = _is_pushed(fields) if kind in _IMAGES else False
    names = fields.pop("name", "")
    for key, value in fields.items():
        kind_of_note, dot, note = key.partition(".")
        if dot and kind_of_note.startswith("annotation") and kind in _IMAGES:
            where = kind_of_note.removeprefix("annotation").removeprefix("-") or "manifest"
            annotations.update([parse_annotation(f"{where}:{note}={value}")])
        elif key not in _CHOICES or key == "image-manifest" or kind not in _IMAGES:
            raise UsageError(f"unknown key '{key}' in --output {text}")
        else:
            _refuse_choice(key, value, "--output")
    return Output(kind, dest, tuple(names.split(",")) if names else (), pushed, annotations)


def _is_pushed(fields: dict[str, str]) -> bool:
    value = fields.pop("push", "false")
    if value not in (*YES, "false", "0"):
        raise UsageError(f"non-bool value {value!r} specified for push in --output")
    return value in YES


def _refuse_choice(key: str, value: str, option: str) -> None:
    if value not in _CHOICES[key]:
        raise Unsupported(f"{key}={value} in {option} is not supported: only {_CHOICES[key][0]}")


def parse_annotation(text: str) -> tuple[str, str]:
    """Return the key and value of ``[manifest:]KEY=VALUE``.

    >>> parse_annotation("manifest:a.b=c=d")
    ('a.b', 'c=d')
    """
    key, equals, value = text.partition("=")
    kind, colon, name = key.rpartition(":")
    if not equals or not name:
        raise UsageError(f"invalid annotation {text!r}, expected key=value")
    if not colon or kind == "manifest":
        return name, value
    if kind == "index":
        raise Unsupported("index annotations not supported for single platform export")
    if kind in ("manifest-descriptor", "index-descriptor") or "[" in kind:
        raise Unsupported(f"annotations of kind {kind!r} are not supported: only manifest")
    raise UsageError(f"unknown annotation type {kind!r}")


def parse_cache(text: str, option: str) -> RemoteCache:
    """Return the cache of ``type=registry,ref=...``, or of a bare reference."""
    if "=" not in text:
        return RemoteCache("registry", {"ref": text})
    fields = parse_fields(text, option)
    kind = fields.pop("type", "")
    needs = {"registry": "ref", "local": "src" if option == "--cache-from" else "dest"}
    if kind not in ("registry", "local", "inline"):
        raise UsageError(f"cache of type {kind!r} is not supported: use registry, local or inline")
    if kind in needs and needs[kind] not in fields:
        raise UsageError(f"{option} type={kind} requires {needs[kind]}")
    known = {"ref", "src", "dest", "mode", "tag", "digest", "ignore-error"}
    for key, value in fields.items():
        if key in ("compression", "oci-mediatypes", "image-manifest"):
            _refuse_choice(key, value, option)
        elif key not in known:
            raise UsageError(f"unknown key '{key}' in {option} {text}")
    if fields.get("mode", "min") not in ("min", "max"):
        raise UsageError(f"invalid cache mode {fields['mode']!r}")
    return RemoteCache(kind, fields)
