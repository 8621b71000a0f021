# SPDX-License-Identifier: MIT
"""The documents of the OCI image specification and of Docker that this program uses.

Rules: unknown fields are ignored; no data is lost, since the bytes of documents are kept. As in Go,
``null`` means absent. Any malformed document becomes CorruptData here. Annotations are objects
and no text, which msgspec would have to compile at every start.
"""

from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from sandbox.errors import CorruptData

MANIFEST_TYPES = frozenset(
    {
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    }
)
INDEX_TYPES = frozenset(
    {
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
    }
)
REF_NAME = "org.opencontainers.image.ref.name"
CONTAINERD_NAME = "io.containerd.image.name"

_T = TypeVar("_T")


class Healthcheck(msgspec.Struct, frozen=True, rename="pascal", omit_defaults=True):
    """A health check; times are in nanoseconds."""

    test: list[str] | None = None
    interval: int = 0
    timeout: int = 0
    start_period: int = 0
    start_interval: int = 0
    retries: int = 0


class RunConfig(msgspec.Struct, frozen=True, rename="pascal", omit_defaults=True):
    """The defaults for containers of the image."""

    user: str = ""
    exposed_ports: dict[str, dict[str, str]] | None = None
    env: list[str] | None = None
    entrypoint: list[str] | None = None
    cmd: list[str] | None = None
    args_escaped: bool = False
    healthcheck: Healthcheck | None = None
    volumes: dict[str, dict[str, str]] | None = None
    working_dir: str = ""
    labels: dict[str, str] | None = None
    stop_signal: str = ""
    on_build: list[str] | None = None
    shell: list[str] | None = None


class History(msgspec.Struct, frozen=True, omit_defaults=True):
    """One build step of the image."""

    created: str | None = None
    created_by: str = ""
    author: str = ""
    comment: str = ""
    empty_layer: bool = False


class RootFS(msgspec.Struct, frozen=True):
    """The layers, the lowest first, as digests of their uncompressed tars (diff ids)."""

    type: str = "layers"
    diff_ids: list[str] | None = None


class ImageConfig(msgspec.Struct, frozen=True, omit_defaults=True):
    """The image configuration; its digest is the image's id."""

    architecture: str = ""
    os: str = ""
    variant: str = ""
    created: str | None = None
    author: str = ""
    config: RunConfig | None = None
    rootfs: RootFS | None = None
    history: list[History] | None = None
    container: str = ""
    container_config: dict[str, Any] | None = None
    build_cache: str = msgspec.field(default="", name="sandbox.buildcache.v1")


class Platform(msgspec.Struct, frozen=True, omit_defaults=True):
    """The platform of a manifest in an index."""

    architecture: str = ""
    os: str = ""
    variant: str = ""


class Descriptor(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """A reference to content: its media type, digest and size in bytes."""

    media_type: str = ""
    digest: str
    size: int
    platform: Platform | None = None
    annotations: dict[str, str] | None = None
    urls: list[str] | None = None


class Manifest(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """One image: its configuration and its layers, the lowest first."""

    schema_version: int = 2
    media_type: str = ""
    config: Descriptor
    layers: list[Descriptor]
    annotations: dict[str, str] | None = None


class Index(msgspec.Struct, frozen=True, rename="camel", omit_defaults=True, kw_only=True):
    """A list of manifests or indexes, usually one for each platform."""

    schema_version: int = 2
    media_type: str = ""
    manifests: list[Descriptor] | None = None


class SavedImage(msgspec.Struct, frozen=True, rename="pascal"):
    """One entry in the manifest.json of ``docker save``."""

    config: str
    repo_tags: list[str] | None = None
    layers: list[str] | None = None


def decode(data: bytes, kind: type[_T], *, what: str) -> _T:
    """Return the document in *data*; messages call it *what*. Raises CorruptData."""
    try:
        return msgspec.json.decode(data, type=kind)
    except (msgspec.MsgspecError, RecursionError, UnicodeError) as exc:
        raise CorruptData(f"{what}: {exc}") from exc


def encode(document: msgspec.Struct) -> bytes:
    """Return *document* as compact JSON, with the fields in their declared order."""
    return msgspec.json.encode(document)


def encode_versioned(document: Manifest | Index) -> bytes:
    """Return a manifest or index as JSON, with the schemaVersion that readers require."""
    return msgspec.json.encode({"schemaVersion": 2, **to_builtins(document)})


def to_builtins(document: msgspec.Struct) -> dict[str, Any]:
    """Return *document* as dicts and lists."""
    plain: dict[str, Any] = msgspec.to_builtins(document)
    return plain


def timestamp(moment: datetime | None = None) -> str:
    """Return a time (default: now) in RFC 3339, formatted as Docker does.

    >>> timestamp(datetime(2024, 1, 2, tzinfo=UTC))
    '2024-01-02T00:00:00.000000Z'
    """
    moment = moment or datetime.now(UTC)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def moment_text(seconds: float) -> str:
    """Return a time in seconds since 1970 in RFC 3339.

    >>> moment_text(1.5)
    '1970-01-01T00:00:01.500000Z'
    """
    return timestamp(datetime.fromtimestamp(seconds, UTC))


def seconds_of(created: str | None) -> float:
    """Return an RFC 3339 time in seconds since 1970; 0 if there is none.

    >>> seconds_of("1970-01-01T00:00:01.5Z"), seconds_of(None)
    (1.5, 0.0)
    """
    if not created:
        return 0.0
    try:
        return datetime.fromisoformat(_microseconds(created)).timestamp()
    except (ValueError, OverflowError):
        return 0.0


def _microseconds(text: str) -> str:
    """Truncate Go's nanoseconds, which fromisoformat() does not accept before Python 3.11."""
    head, dot, tail = text.partition(".")
    if not dot:
        return text
    digits = len(tail) - len(tail.lstrip("0123456789"))
    return f"{head}.{tail[:digits][:6]:0<6}{tail[digits:]}"
