# SPDX-License-Identifier: MIT
"""HTTP for registries: pooled connections, timeouts, retries where those are safe.

How it works: there is one urllib3 pool manager for each kind of trust (the system's
certificates, a registry's own CA, no verification). After a broken connection, 429 or 5xx, a
request is repeated with growing pauses. Redirects are followed here, so that credentials do
not go to another host.

Rules: only this module uses urllib3. A body that can be sent twice is bytes, or a callable that
opens it anew. A redirect from HTTPS to HTTP is refused.

Must not know: the meaning of requests, users.
"""

from __future__ import annotations

import logging
import os
import random
import ssl
import time
import urllib.request
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any
from urllib.parse import urljoin, urlsplit

import urllib3
from urllib3.exceptions import (
    HTTPError,
    LocationParseError,
    MaxRetryError,
    NewConnectionError,
    ProxyError,
    SSLError,
)

from sandbox.errors import RegistryError, TransportFailed, UsageError
from sandbox.registry.config import HostSettings, is_loopback

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sandbox.registry.config import Settings

_log = logging.getLogger(__name__)

_CONNECT_TIMEOUT = 15.0
_PAUSE_LIMIT = 60.0
_REDIRECTS = 6
_REDIRECT = frozenset({301, 302, 303, 307, 308})
_PASSING = frozenset({429, 500, 502, 503, 504})
_SECRET = frozenset({"authorization", "cookie"})
_DOCUMENT_LIMIT = 8 * 1024 * 1024
_DRAIN = 64 * 1024
_POOL = 8


class NotTls(TransportFailed):
    """The server answered, but not in TLS."""


class Answer:
    """The head of an answer, and its body until that is read or closed."""

    def __init__(self, raw: Any, url: str, *, has_body: bool = True) -> None:
        self._raw = raw
        self.has_body = has_body
        self.url = url
        self.status: int = raw.status
        self.headers: Mapping[str, str] = raw.headers

    def read(self, size: int, /) -> bytes:
        """Return at most *size* bytes of the body, not decompressed; b"" at the end."""
        with _mapped(self.url):
            data: bytes = self._raw.read1(size, decode_content=False)
        return data

    def document(self, limit: int = _DOCUMENT_LIMIT) -> bytes:
        """Return the whole body, which must be small, and release the connection."""
        parts, total = [], 0
        try:
            while data := self.read(min(_DRAIN, limit + 1 - total)):
                parts.append(data)
                total += len(data)
                if total > limit:
                    raise TransportFailed(f"{self.url}: the answer is too large")
        finally:
            self.close()
        promised = self.headers.get("Content-Length", "")
        if promised.isdecimal() and int(promised) != total and self.has_body:
            raise TransportFailed(f"{_shown(self.url)}: the answer was cut off")
        return b"".join(parts)

    def close(self) -> None:
        """Release the connection; unread parts of the body are lost."""
        if self._raw.isclosed():
            self._raw.release_conn()
        else:
            self._raw.close()


class Transport:
    """Sends requests to any registry, with the settings of one file."""

    def __init__(self, settings: Settings, *, sleep: Callable[[float], None] = time.sleep) -> None:
        self._settings = settings
        self._sleep = sleep
        self._managers: dict[tuple[object, ...], Any] = {}
        self.tell: Callable[[str, str], object] | None = None
        """Called with a registry's host and a message when that registry asks us to wait."""

    @property
    def retries(self) -> int:
        """The number of further attempts after a failure that may be temporary."""
        return self._settings.retries

    @property
    def timeout(self) -> float:
        """The number of seconds to wait for the next byte."""
        return self._settings.timeout

    def request(
        self,
        method: str,
        url: str,
        *,
        headers: Mapping[str, str] | None = None,
        body: bytes | Callable[[], Any] | None = None,
        host: HostSettings | None = None,
        repeat: bool = True,
        is_secret: bool = False,
    ) -> Answer:
        """Return the answer after redirects; the caller must read or close it.

        Without *host* the settings are those of the URL's host. A body that *is_secret* is not
        sent to another server. Raises TransportFailed, RegistryError.
        """
        host = host or self.settings_of(url)
        sent = dict(headers or {})
        for _ in range(_REDIRECTS):
            answer = self._repeated(method, url, sent, body, host, repeat=repeat)
            location = answer.headers.get("Location")
            if answer.status not in _REDIRECT or not location:
                return answer
            answer.close()
            target = urljoin(url, location)
            if is_secret and body is not None and not is_same_server(url, target):
                raise TransportFailed(f"{_shown(url)}: refusing to send a secret elsewhere")
            sent = _for_redirect(sent, url, target)
            if answer.status == 303:
                method, body = "GET", None
            if urlsplit(target).netloc != urlsplit(url).netloc:
                host = self.settings_of(target)
            url = target
        raise TransportFailed(f"{url}: too many redirects")

    def settings_of(self, url: str) -> HostSettings:
        """Return the settings of the host of a URL."""
        return self._settings.host(urlsplit(url).netloc)

    def pause(self, attempt: int, seconds: float | None = None) -> None:
        """Wait before another attempt: *seconds*, or longer with each *attempt*."""
        if seconds is None:
            seconds = 0.5 * 2**attempt * random.uniform(0.5, 1.0)  # noqa: S311 - spreads load
        self._sleep(min(seconds, _PAUSE_LIMIT))

    def _repeated(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | Callable[[], Any] | None,
        host: HostSettings,
        *,
        repeat: bool,
    ) -> Answer:
        attempts = self._settings.retries if repeat else 0
        for attempt in range(attempts + 1):
            last = attempt == attempts
            try:
                answer = self._once(method, url, headers, body, host)
            except NotTls:
                raise
            except TransportFailed as exc:
                if last:
                    raise
                _log.info("%s: trying again", exc.message)
                self.pause(attempt)
                continue
            wait = retry_after(answer.headers.get("Retry-After"))
            if answer.status not in _PASSING or last or (wait or 0) > _PAUSE_LIMIT:
                return answer
            _log.info("%s %s: status %d, trying again", method, url, answer.status)
            answer.close()
            if answer.status == 429 and self.tell is not None:
                text = "" if wait is None else f" {wait:.0f} s"
                self.tell(urlsplit(url).netloc, f"Too many requests; waiting{text}")
            self.pause(attempt, wait)
        raise AssertionError("unreachable")

    def _once(
        self,
        method: str,
        url: str,
        headers: Mapping[str, str],
        body: bytes | Callable[[], Any] | None,
        host: HostSettings,
    ) -> Answer:
        manager = self._manager(url, host)
        with _mapped(url):
            raw = manager.request(
                method,
                url,
                headers={"User-Agent": "sandbox", "Accept-Encoding": "identity", **headers},
                body=body() if callable(body) else body,
                preload_content=False,
                decode_content=False,
                redirect=False,
                retries=False,
            )
        return Answer(raw, url, has_body=method != "HEAD" and raw.status not in (204, 304))

    def _manager(self, url: str, host: HostSettings) -> Any:
        parts = urlsplit(url)
        proxy = proxy_for(parts.scheme, parts.netloc)
        key = (proxy, host.insecure, host.ca, host.cert, host.key)
        if key not in self._managers:
            options: dict[str, Any] = {
                "num_pools": _POOL,
                "maxsize": _POOL,
                "timeout": urllib3.Timeout(
                    connect=min(_CONNECT_TIMEOUT, self._settings.timeout),
                    read=self._settings.timeout,
                ),
                "ssl_context": _ssl_context(host),
            }
            if proxy is None:
                self._managers[key] = urllib3.PoolManager(**options)
            else:
                self._managers[key] = urllib3.ProxyManager(
                    proxy, proxy_headers=_proxy_headers(proxy), **options
                )
        return self._managers[key]


def _for_redirect(headers: Mapping[str, str], old: str, new: str) -> dict[str, str]:
    before, after = urlsplit(old), urlsplit(new)
    if after.scheme not in ("http", "https"):
        raise TransportFailed(f"{old}: redirected to {after.scheme or 'nowhere'}")
    if before.scheme == "https" and after.scheme == "http":
        raise TransportFailed(f"{old}: refusing a redirect to plain HTTP")
    if is_same_server(old, new):
        return dict(headers)
    return {name: value for name, value in headers.items() if name.lower() not in _SECRET}


def is_same_server(one: str, other: str) -> bool:
    """Tell whether two URLs have the same scheme, host and port.

    >>> is_same_server("https://a/x", "https://a/y"), is_same_server("https://a/", "http://a/")
    (True, False)
    """
    return urlsplit(one)[:2] == urlsplit(other)[:2]


def retry_after(value: str | None) -> float | None:
    """Return the seconds in a ``Retry-After`` header: a number or a date.

    >>> retry_after("3"), retry_after("soon"), retry_after(None)
    (3.0, None, None)
    """
    if not value:
        return None
    if value.isdecimal():
        return float(value)
    try:
        return max(0.0, parsedate_to_datetime(value).timestamp() - time.time())
    except (ValueError, OverflowError):
        return None


def _ssl_context(host: HostSettings) -> ssl.SSLContext:
    context = ssl.create_default_context()  # honours SSL_CERT_FILE and SSL_CERT_DIR
    try:
        if host.ca:
            context.load_verify_locations(host.ca)
        if host.cert:
            context.load_cert_chain(host.cert, host.key)
    except (OSError, ssl.SSLError, ValueError) as exc:
        raise UsageError(f"cannot use the certificate {(host.ca or host.cert)!r}: {exc}") from exc
    if host.insecure:
        urllib3.disable_warnings(urllib3.exceptions.InsecureRequestWarning)  # the user's choice
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def proxy_for(scheme: str, netloc: str) -> str | None:
    """Return the proxy that the environment sets for a host, by curl's rules, or None."""
    if is_loopback(netloc):
        return None
    proxies = urllib.request.getproxies_environment()
    proxy = proxies.get(scheme) or proxies.get("all")
    bypass: Callable[[str], object] = urllib.request.proxy_bypass_environment  # type: ignore[attr-defined]
    if not proxy or bypass(netloc):
        return None
    return proxy if "://" in proxy else f"http://{proxy}"


def _proxy_headers(proxy: str) -> dict[str, str]:
    parts = urlsplit(proxy)
    if not parts.username:
        return {}
    made: dict[str, str] = urllib3.make_headers(
        proxy_basic_auth=f"{parts.username}:{parts.password or ''}"
    )
    return made


@contextmanager
def _mapped(url: str) -> Iterator[None]:
    """Convert any exception of urllib3 into an error of one line."""
    where = _shown(url)
    try:
        yield
    except (SSLError, ssl.SSLError) as exc:
        text = str(exc)
        if "WRONG_VERSION_NUMBER" in text or "record layer failure" in text.lower():
            raise NotTls(f"{where}: the server does not speak TLS") from exc
        raise TransportFailed(f"{where}: {_tls_reason(text)}") from exc
    except (ProxyError, MaxRetryError, NewConnectionError) as exc:
        reason = getattr(exc, "reason", None) or getattr(exc, "original_error", None) or exc
        raise TransportFailed(f"{where}: {_reason(reason)}") from exc
    except LocationParseError as exc:
        raise RegistryError(f"{where}: not the address of a server") from exc
    except (HTTPError, OSError) as exc:
        raise TransportFailed(f"{where}: {_reason(exc)}") from exc


def _tls_reason(text: str) -> str:
    if "certificate verify failed" in text:
        reason = text.partition("certificate verify failed: ")[2].partition(" (_ssl")[0]
        return f"the certificate cannot be trusted ({reason or 'verify failed'})"
    return f"TLS failed ({text[:120]})"


def _reason(exc: BaseException) -> str:
    if isinstance(exc, TimeoutError) or "timed out" in str(exc):
        return "no answer in time"
    cause = exc.__cause__ or exc.__context__
    if isinstance(cause, OSError) and cause.errno is not None:
        return os.strerror(cause.errno) if cause.errno > 0 else "the host is unknown"
    if "Name or service" in str(exc) or "resolve" in str(exc):
        return "the host is unknown"
    return f"the connection broke ({type(exc).__name__})"


def _shown(url: str) -> str:
    """Return a URL without user name and query, which may contain secrets."""
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}{parts.path}"
