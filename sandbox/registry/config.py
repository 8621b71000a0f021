# SPDX-License-Identifier: MIT
"""Settings for registries, from one TOML file.

The first of these files that exists is read: ``$SANDBOX_REGISTRIES``,
``sandbox/registries.toml`` in the user's configuration directory,
``/etc/sandbox/registries.toml``::

    parallel = 3          # layers at a time
    retries = 5           # more attempts after a failure that may be temporary
    timeout = 60          # seconds without receiving a byte

    [registry."docker.io"]
    mirrors = ["https://mirror.example/hub"]

    [registry."registry.example:5000"]
    insecure = true       # plain HTTP, or a certificate that is not verified
    ca = "/path/ca.pem"   # trusted in addition to the system's
    cert = "/path/client.pem"
    key = "/path/client.key"

Rules: an unknown key is an error that names the key. Nothing here opens a socket.
"""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, field
from pathlib import Path

import msgspec

from sandbox.errors import UsageError, map_os_errors

_DOCKER_HUB = "registry-1.docker.io"
_LOOPBACK = ("localhost", "127.", "[::1]")
_LONGEST = 24 * 60 * 60  # seconds; sockets refuse much longer timeouts


class HostSettings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The settings of one registry."""

    mirrors: list[str] = []
    insecure: bool = False
    ca: str | None = None
    cert: str | None = None
    key: str | None = None


class Settings(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The whole file."""

    parallel: int = 3
    retries: int = 5
    timeout: float = 60.0
    registry: dict[str, HostSettings] = {}

    def host(self, domain: str) -> HostSettings:
        """Return the settings of the registry *domain* ("host" or "host:port")."""
        return self.registry.get(domain, HostSettings())


@dataclass(frozen=True)
class Endpoint:
    """A server that answers for a registry: the registry itself or a mirror of it."""

    domain: str
    host: str
    prefix: str = ""
    scheme: str | None = None  # None: not known yet
    settings: HostSettings = field(default_factory=HostSettings)

    @property
    def may_be_plain(self) -> bool:
        """Whether plain HTTP is allowed."""
        return self.settings.insecure or is_loopback(self.host)


def endpoints(settings: Settings, domain: str, *, mirrors: bool) -> list[Endpoint]:
    """Return the servers for *domain*, the preferred first.

    >>> [item.host for item in endpoints(Settings(), "docker.io", mirrors=True)]
    ['registry-1.docker.io']
    """
    own = settings.host(domain)
    found = [_mirror(settings, url) for url in own.mirrors] if mirrors else []
    host = _DOCKER_HUB if domain == "docker.io" else domain
    return [*found, Endpoint(domain, host, settings=own)]


def _mirror(settings: Settings, url: str) -> Endpoint:
    scheme, separator, rest = url.partition("://")
    if not separator:
        scheme, rest = "https", scheme
    host, _, prefix = rest.rstrip("/").partition("/")
    if scheme not in ("http", "https") or not host:
        raise UsageError(f"mirror {url!r} is not the URL of a registry")
    return Endpoint(host, host, prefix, scheme, settings.host(host))


def is_loopback(host: str) -> bool:
    """Return whether *host* is this machine.

    >>> is_loopback("localhost:5000"), is_loopback("127.0.0.1"), is_loopback("localhost.x")
    (True, True, False)
    """
    name = host.rpartition(":")[0] if host.rpartition(":")[2].isdecimal() else host
    if name.startswith("127."):
        return all(part.isdecimal() for part in name.split("."))
    return name in _LOOPBACK


def parse_settings(text: str, *, what: str) -> Settings:
    """Return the settings in *text*; messages call it *what*. Raises UsageError."""
    try:
        settings = msgspec.convert(tomllib.loads(text), Settings)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError, RecursionError) as exc:
        raise UsageError(f"{what}: {exc}") from exc
    if settings.parallel < 1 or settings.retries < 0 or settings.timeout <= 0:
        raise UsageError(f"{what}: parallel, retries and timeout must be positive")
    if not settings.timeout <= _LONGEST:  # also true for nan
        raise UsageError(f"{what}: timeout must be at most {_LONGEST} seconds")
    return settings


def read_settings() -> Settings:
    """Return the user's settings, else the system's, else the defaults. Raises UsageError."""
    named = os.environ.get("SANDBOX_REGISTRIES")
    for path in [Path(named)] if named else _usual_places():
        with map_os_errors(f"cannot read {path}"):
            try:
                text = path.read_text(encoding="utf-8")
            except FileNotFoundError:
                if named:
                    raise
                continue
            except UnicodeDecodeError as exc:
                raise UsageError(f"{path}: {exc}") from exc
        return parse_settings(text, what=str(path))
    return Settings()


def _usual_places() -> list[Path]:
    from platformdirs import site_config_path, user_config_path

    name = "registries.toml"
    return [
        user_config_path("sandbox", appauthor=False) / name,
        site_config_path("sandbox", appauthor=False) / name,
        Path("/etc/sandbox") / name,
    ]
