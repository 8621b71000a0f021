# SPDX-License-Identifier: MIT
"""Authorization headers for one registry: basic authentication and bearer tokens.

Source: the distribution project's token authentication, and RFC 9110, section 11.

How it works: a 401 answer names a challenge. For a basic challenge, the answer is the user name
and password; for a bearer challenge, a token fetched from the server that the challenge names.
The request is then sent once more. Tokens are kept until shortly before they expire, one for
each set of scopes; threads share them.

Rules: a password goes only to the registry and to its token server, and no redirect takes it
elsewhere. It never travels over plain HTTP unless the registry itself uses plain HTTP. A token
server on another host has settings of its own: the registry's client certificate is not shown
there, and its certificate is verified.
"""

from __future__ import annotations

import threading
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING
from urllib.parse import urlencode, urlsplit

import msgspec
from msgspec.structs import replace

from sandbox.errors import AuthFailed, RegistryError
from sandbox.models import oci
from sandbox.registry.challenge import Challenge, parse_challenges

if TYPE_CHECKING:
    from sandbox.registry.config import HostSettings
    from sandbox.registry.credentials import Credentials
    from sandbox.registry.transport import Transport

_CLIENT = "sandbox"
_LIFETIME = 60  # seconds, if the server names none
_MARGIN = 0.9


class _TokenAnswer(msgspec.Struct):
    token: str | None = None
    access_token: str | None = None
    expires_in: float | None = None
    refresh_token: str | None = None


@dataclass(frozen=True)
class _Token:
    value: str
    until: float


class Authorizer:
    """Makes the Authorization headers of requests to one registry."""

    def __init__(
        self,
        transport: Transport,
        base: str,
        credentials: Credentials | None,
        host: HostSettings,
    ) -> None:
        self._transport = transport
        self._is_plain = base.startswith("http://")
        self._netloc = urlsplit(base).netloc
        self._credentials = credentials
        self._host = host
        self._lock = threading.Lock()
        self._challenge: Challenge | None = None
        self._tokens: dict[frozenset[str], _Token] = {}

    def header(self, scopes: frozenset[str]) -> str | None:
        """Return the Authorization header of a first request, or None."""
        with self._lock:
            if self._challenge is None:
                return None
            return self._answer(self._challenge, scopes)

    def refused(self, header: str, scopes: frozenset[str], sent: str | None) -> str | None:
        """Return the Authorization to retry with after a 401, or None if there is none.

        *header* is the answer's ``WWW-Authenticate``, *sent* the Authorization that was refused.
        Raises AuthFailed or RegistryError if the token server gives no token.
        """
        offered = {item.scheme: item for item in parse_challenges(header)}
        chosen = offered.get("bearer") or offered.get("basic")
        if chosen is None:
            return None
        with self._lock:
            self._challenge = chosen
            if chosen.scheme == "basic":
                proof = self._answer(chosen, scopes)
                return proof if proof != sent else None
            token = self._tokens.get(scopes)
            if token is not None and f"Bearer {token.value}" == sent:
                del self._tokens[scopes]  # expired or revoked
            proof = self._answer(chosen, scopes)
            return proof if proof != sent else None

    def _answer(self, challenge: Challenge, scopes: frozenset[str]) -> str | None:
        if challenge.scheme == "basic":
            known = self._credentials
            return known.basic if known is not None and known.username else None
        token = self._tokens.get(scopes)
        if token is None or token.until < time.monotonic():
            token = self._tokens[scopes] = self._fetch(challenge, scopes)
        return f"Bearer {token.value}"

    def _fetch(self, challenge: Challenge, scopes: frozenset[str]) -> _Token:
        realm = challenge.params.get("realm", "")
        parts = urlsplit(realm)
        if parts.scheme not in ("http", "https") or not parts.netloc:
            raise AuthFailed(f"{self._netloc} does not say where to get a token")
        if parts.scheme == "http" and not self._is_plain:
            raise AuthFailed(f"{self._netloc}: refusing to send a password over plain HTTP")
        service = challenge.params.get("service", "")
        wanted = scopes or frozenset(challenge.params.get("scope", "").split())
        known = self._credentials
        if known is not None and known.identity_token:
            raw = self._post(realm, service, wanted, known.identity_token)
        else:
            raw = self._get(realm, service, wanted)
        answer = oci.decode(raw, _TokenAnswer, what=f"token of {parts.netloc}")
        value = answer.token or answer.access_token
        if not value or not value.isascii() or not value.isprintable():
            raise AuthFailed(f"{parts.netloc} sent no token")
        lifetime = answer.expires_in or _LIFETIME
        return _Token(value, time.monotonic() + lifetime * _MARGIN)

    def _get(self, realm: str, service: str, scopes: frozenset[str]) -> bytes:
        query = [("service", service)] if service else []
        query += [("scope", scope) for scope in sorted(scopes)]
        headers = {}
        if self._credentials is not None and self._credentials.username:
            query.append(("account", self._credentials.username))
            headers["Authorization"] = self._credentials.basic
        joint = "&" if "?" in realm else "?"
        url = f"{realm}{joint}{urlencode(query)}" if query else realm
        return self._ask("GET", url, headers, None)

    def _post(self, realm: str, service: str, scopes: frozenset[str], token: str) -> bytes:
        form = {
            "grant_type": "refresh_token",
            "refresh_token": token,
            "service": service,
            "client_id": _CLIENT,
            "scope": " ".join(sorted(scopes)),
        }
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        return self._ask("POST", realm, headers, urlencode(form).encode())

    def _ask(self, method: str, url: str, headers: dict[str, str], body: bytes | None) -> bytes:
        answer = self._transport.request(
            method, url, headers=headers, body=body, host=self._settings_for(url), is_secret=True
        )
        text = answer.document()
        where = urlsplit(url).netloc
        if answer.status in (400, 401, 403):
            raise AuthFailed(f"{where}: access denied: wrong user name or password")
        if answer.status != 200:
            raise RegistryError(f"{where} answered {answer.status} to a request for a token")
        return text

    def _settings_for(self, url: str) -> HostSettings:
        """Return the settings for a token server; a registry's CA may vouch for it."""
        if urlsplit(url).hostname == urlsplit(f"//{self._netloc}").hostname:
            return self._host
        own = self._transport.settings_of(url)
        return own if own.ca else replace(own, ca=self._host.ca)
