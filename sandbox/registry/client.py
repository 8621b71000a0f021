# SPDX-License-Identifier: MIT
"""The distribution protocol: manifests, blobs, tags, uploads, for one registry.

Source: the OCI distribution specification.

Rules: this module checks documents against their digests; callers check the blobs they
stream. Every failure is a SandboxError with the registry's own message, cut to one line.

Must not know: where blobs are stored, the structure of images.
"""

from __future__ import annotations

import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode, urljoin

import msgspec

from sandbox.errors import (
    AuthFailed,
    DigestMismatch,
    NotFound,
    RegistryError,
    TransportFailed,
    Unsupported,
    UploadRefused,
)
from sandbox.models import oci
from sandbox.models.digest import Digest, digest_of, parse_digest
from sandbox.models.timestamps import human_duration
from sandbox.registry.auth import Authorizer
from sandbox.registry.challenge import pull_scope, push_scope
from sandbox.registry.transport import NotTls, retry_after

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from sandbox.registry.config import Endpoint
    from sandbox.registry.credentials import Credentials
    from sandbox.registry.transport import Answer, Transport

_ACCEPT = ", ".join([*sorted(oci.MANIFEST_TYPES), *sorted(oci.INDEX_TYPES)])
_SCHEMA_1 = "application/vnd.docker.distribution.manifest.v1"
_RANGE = re.compile(r"(?:bytes=)?0-(\d+)")
_NEXT = re.compile(r'<([^>]+)>\s*;\s*rel="?next"?')
# Error codes of the distribution specification for a failed upload; status 416 means the same.
_SPOILT = frozenset({"BLOB_UPLOAD_INVALID", "DIGEST_INVALID", "SIZE_INVALID"})
_PAGES = 1000
_PAGE = 500


class _Error(msgspec.Struct):
    code: str = ""
    message: str = ""


class _Errors(msgspec.Struct):
    errors: list[_Error] | None = None


class _Head(msgspec.Struct, rename="camel"):
    schema_version: int = 0
    media_type: str = ""
    manifests: list[Any] | None = None


class _Catalogue(msgspec.Struct):
    repositories: list[str] | None = None


class _TagList(msgspec.Struct):
    tags: list[str] | None = None


@dataclass(frozen=True)
class RawManifest:
    """A manifest or index as the bytes that were sent or received."""

    data: bytes
    media_type: str

    @property
    def digest(self) -> Digest:
        """The digest of the bytes."""
        return digest_of(self.data)

    @property
    def is_index(self) -> bool:
        """Whether it is an index, which lists manifests."""
        return self.media_type in oci.INDEX_TYPES


class Registry:
    """One registry, or a mirror of one."""

    def __init__(
        self, endpoint: Endpoint, transport: Transport, credentials: Credentials | None
    ) -> None:
        self.endpoint = endpoint
        self._transport = transport
        self._credentials = credentials
        self._authorizer: Authorizer | None = None
        self._base: str | None = None
        self._lock = threading.Lock()

    def repository(self, path: str) -> Repository:
        """Return a repository; sends no request."""
        prefix = self.endpoint.prefix
        return Repository(self, f"{prefix}/{path}" if prefix else path)

    @property
    def base(self) -> str:
        """The URL of the registry; the first use tries HTTPS, and HTTP where that is allowed."""
        with self._lock:
            if self._base is None:
                self._base = self._find_base()
                self._authorizer = Authorizer(
                    self._transport, self._base, self._credentials, self.endpoint.settings
                )
            return self._base

    def _find_base(self) -> str:
        if self.endpoint.scheme is not None:
            return f"{self.endpoint.scheme}://{self.endpoint.host}"
        secure = f"https://{self.endpoint.host}"
        if not self.endpoint.may_be_plain:
            return secure
        try:
            self._ping(secure)
        except NotTls:
            return f"http://{self.endpoint.host}"
        except TransportFailed:
            if not self.endpoint.settings.insecure:
                raise
            return f"http://{self.endpoint.host}"
        return secure

    def _ping(self, base: str) -> None:
        url = f"{base}/v2/"
        self._transport.request("GET", url, host=self.endpoint.settings, repeat=False).close()

    def check_login(self) -> None:
        """Check the credentials. Raises AuthFailed if the registry refuses them."""
        answer, text = self.fetch("GET", "/v2/")
        if answer.status != 200:
            raise _failure(answer, text, "login")

    def request(
        self,
        method: str,
        path: str,
        *,
        scopes: frozenset[str] = frozenset(),
        headers: Mapping[str, str] | None = None,
        body: bytes | Callable[[], Any] | None = None,
        repeat: bool = True,
    ) -> Answer:
        """Return the answer to a request, authenticated if the registry asks for that."""
        url = urljoin(self.base, path)
        authorizer = self._authorizer
        assert authorizer is not None
        is_own = url.startswith(f"{self.base}/")
        proof = authorizer.header(scopes) if is_own else None
        for last in (False, True):
            sent = dict(headers or {})
            if proof is not None:
                sent["Authorization"] = proof
            answer = self._transport.request(
                method,
                url,
                headers=sent,
                body=body,
                host=self.endpoint.settings if is_own else None,
                repeat=repeat,
            )
            if answer.status != 401 or last or not is_own:
                return answer
            challenge = answer.headers.get("WWW-Authenticate", "")
            try:
                proof = authorizer.refused(challenge, scopes, proof)
            except BaseException:
                answer.close()
                raise
            if proof is None:
                return answer
            answer.close()
        raise AssertionError("unreachable")

    def fetch(
        self,
        method: str,
        path: str,
        *,
        scopes: frozenset[str] = frozenset(),
        headers: Mapping[str, str] | None = None,
        body: bytes | Callable[[], Any] | None = None,
        repeat: bool = True,
    ) -> tuple[Answer, bytes]:
        """Return an answer with its whole body, which must be small."""
        attempts = self._transport.retries if repeat else 0
        for attempt in range(attempts + 1):
            answer = self.request(
                method, path, scopes=scopes, headers=headers, body=body, repeat=repeat
            )
            try:
                return answer, answer.document()
            except TransportFailed:
                if attempt == attempts:
                    raise
                self._transport.pause(attempt)
        raise AssertionError("unreachable")

    def search(self, term: str, limit: int) -> list[dict[str, Any]]:
        """Return repositories that match *term*, by the v1 search or else by the catalogue.

        Raises Unsupported if the registry offers neither.
        """
        query = urlencode({"q": term, "n": limit})
        answer, text = self.fetch("GET", f"/v1/search?{query}")
        if answer.status == 200:
            found = oci.decode(text, dict[str, Any], what="search result").get("results")
            return [item for item in found or [] if isinstance(item, dict)][:limit]
        names = [name for name in self._catalogue() if term in name]
        return [{"name": name} for name in names[:limit]]

    def _catalogue(self) -> list[str]:
        scopes = frozenset({"registry:catalog:*"})
        found: list[str] = []
        try:
            for text in self.pages(f"/v2/_catalog?n={_PAGE}", scopes, "search"):
                page = oci.decode(text, _Catalogue, what="catalogue")
                found += page.repositories or []
        except NotFound:
            raise Unsupported(f"{self.endpoint.domain} offers no search") from None
        return found

    def pages(self, path: str, scopes: frozenset[str], what: str) -> Iterator[bytes]:
        """Yield the JSON documents of a paginated list."""
        url: str | None = path
        for _ in range(_PAGES):
            if url is None:
                return
            answer, text = self.fetch("GET", url, scopes=scopes)
            if answer.status != 200:
                raise _failure(answer, text, what)
            yield text
            link = _NEXT.search(answer.headers.get("Link", ""))
            url = urljoin(answer.url, link[1]) if link else None


class Repository:
    """One repository of a registry."""

    def __init__(self, registry: Registry, path: str) -> None:
        self.registry = registry
        self.path = path
        self._read = frozenset({pull_scope(path)})
        self._write = frozenset({push_scope(path)})

    @property
    def shown(self) -> str:
        """The name of the repository in messages."""
        return f"{self.registry.endpoint.host}/{self.path}"

    def manifest(self, name: str) -> RawManifest:
        """Return the manifest with this tag or digest. Raises DigestMismatch, NotFound."""
        answer, text = self.registry.fetch(
            "GET", self._url("manifests", name), scopes=self._read, headers={"Accept": _ACCEPT}
        )
        if answer.status != 200:
            raise _failure(answer, text, f"manifest {self.shown}:{name}")
        return self._checked(name, text, answer)

    def _checked(self, name: str, text: bytes, answer: Answer) -> RawManifest:
        what = f"manifest {self.shown}:{name}"
        promised = name if ":" in name else answer.headers.get("Docker-Content-Digest", "")
        found = digest_of(text)
        if promised.startswith("sha256:") and promised != found:
            raise DigestMismatch(f"{what}: content is {found}, not {promised}")
        head = oci.decode(text, _Head, what=what)
        kind = head.media_type or answer.headers.get("Content-Type", "").partition(";")[0].strip()
        if kind.startswith(_SCHEMA_1) or head.schema_version == 1:
            raise Unsupported(
                f"{what} uses Docker's schema 1, which is obsolete:"
                " the image must be pushed again with a newer client"
            )
        if kind not in oci.MANIFEST_TYPES | oci.INDEX_TYPES:
            kind = next(iter(oci.INDEX_TYPES if head.manifests else oci.MANIFEST_TYPES))
        return RawManifest(text, kind)

    def manifest_digest(self, name: str) -> Digest | None:
        """Return the digest that a tag points to; None if there is no such tag."""
        answer = self.registry.request(
            "HEAD", self._url("manifests", name), scopes=self._write, headers={"Accept": _ACCEPT}
        )
        answer.close()
        value = answer.headers.get("Docker-Content-Digest")
        return parse_digest(value) if answer.status == 200 and value else None

    def put_manifest(self, name: str, manifest: RawManifest) -> None:
        """Upload a manifest under a tag or under its digest."""
        answer, text = self.registry.fetch(
            "PUT",
            self._url("manifests", name),
            scopes=self._write,
            headers={"Content-Type": manifest.media_type},
            body=manifest.data,
        )
        if answer.status not in (200, 201, 202):
            raise _failure(answer, text, f"manifest {self.shown}:{name}")

    def tags(self) -> list[str]:
        """Return all tags."""
        what = f"tags of {self.shown}"
        found: list[str] = []
        for text in self.registry.pages(self._url("tags", "list"), self._read, what):
            found += oci.decode(text, _TagList, what=what).tags or []
        return found

    def open_blob(self, digest: Digest, offset: int = 0) -> tuple[Answer, int]:
        """Return the body of a blob from *offset* on, and the offset where it really starts.

        That is 0 if the registry cannot resume: it then sends the whole blob.
        """
        headers = {"Range": f"bytes={offset}-"} if offset else {}
        answer = self.registry.request(
            "GET", self._url("blobs", digest), scopes=self._read, headers=headers
        )
        if answer.status == 206 and offset:
            start = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
            if start is not None and int(start[1]) == offset:
                return answer, offset
            answer.close()
            return self.open_blob(digest)
        if answer.status == 416 and offset:
            answer.close()
            return self.open_blob(digest)
        if answer.status != 200:
            raise _failure(answer, answer.document(), f"blob {digest}")
        return answer, 0

    def blob(self, digest: Digest, size: int, limit: int) -> bytes:
        """Return the content of a small blob. Raises DigestMismatch if it is not *digest*."""
        if size > limit:
            raise DigestMismatch(f"blob {digest}: {size} bytes is too large for this kind of blob")
        url = self._url("blobs", digest)
        answer, data = self.registry.fetch("GET", url, scopes=self._read)
        if answer.status != 200:
            raise _failure(answer, data, f"blob {digest}")
        if digest_of(data) != digest or len(data) != size:
            raise DigestMismatch(f"blob {digest}: content is {digest_of(data)}, {len(data)} bytes")
        return data

    def has_blob(self, digest: Digest) -> bool:
        """Return whether the repository has a blob."""
        answer = self.registry.request("HEAD", self._url("blobs", digest), scopes=self._write)
        answer.close()
        if answer.status in (401, 403):
            raise AuthFailed(f"push to {self.shown} is not allowed: 'sandbox login' may help")
        return answer.status == 200

    def start_upload(self, digest: Digest | None = None, source: str | None = None) -> str | None:
        """Begin an upload and return its location; None if the blob was mounted from *source*."""
        path = self._url("blobs", "uploads/")
        scopes = self._write
        if digest is not None and source is not None:
            path += "?" + urlencode({"mount": digest, "from": source})
            scopes = scopes | {pull_scope(source)}
        answer, text = self.registry.fetch("POST", path, scopes=scopes, body=b"")
        if answer.status == 201:
            return None
        location = answer.headers.get("Location")
        if answer.status != 202 or not location:
            raise _failure(answer, text, f"upload to {self.shown}")
        return urljoin(answer.url, location)

    def send_part(
        self, location: str, body: bytes | Callable[[], Any], offset: int, size: int
    ) -> str:
        """Send the next part of an upload and return the location for the rest."""
        headers = {
            "Content-Type": "application/octet-stream",
            "Content-Length": str(size),
            "Content-Range": f"{offset}-{offset + size - 1}",
        }
        answer, text = self.registry.fetch(
            "PATCH", location, scopes=self._write, headers=headers, body=body, repeat=False
        )
        if answer.status not in (200, 201, 202, 204):
            raise _failure(answer, text, f"upload to {self.shown}")
        return urljoin(answer.url, answer.headers.get("Location") or location)

    def upload_progress(self, location: str) -> tuple[str, int]:
        """Return the location and the offset at which an interrupted upload continues."""
        answer, text = self.registry.fetch("GET", location, scopes=self._write)
        if answer.status not in (200, 202, 204):
            raise _failure(answer, text, f"upload to {self.shown}")
        match = _RANGE.fullmatch(answer.headers.get("Range", ""))
        # "0-0" means no bytes to some registries and one byte to others.
        done = int(match[1]) + 1 if match and match[1] != "0" else 0
        return urljoin(answer.url, answer.headers.get("Location") or location), done

    def finish_upload(self, location: str, digest: Digest, body: bytes = b"") -> None:
        """Finish an upload; *body* holds the last bytes."""
        joint = "&" if "?" in location else "?"
        answer, text = self.registry.fetch(
            "PUT",
            f"{location}{joint}{urlencode({'digest': digest})}",
            scopes=self._write,
            headers={"Content-Type": "application/octet-stream"},
            body=body,
            repeat=False,
        )
        if answer.status not in (201, 204):
            raise _failure(answer, text, f"upload to {self.shown}")

    def _url(self, kind: str, name: str) -> str:
        return f"/v2/{self.path}/{kind}/{quote(name, safe=':/')}"


def _failure(answer: Answer, text: bytes, what: str) -> Exception:
    """Return the error that reports a registry's failure answer."""
    error = _first_error(text)
    message = "".join(char for char in error.message if char.isprintable())[:200]
    host = answer.url.partition("://")[2].partition("/")[0]
    if answer.status == 401:
        return AuthFailed(
            f"{what}: {message or 'authentication required'} ('sandbox login {host}')"
        )
    if answer.status == 403:
        return AuthFailed(f"{what}: access denied{f': {message}' if message else ''}")
    if answer.status == 429:
        return TransportFailed(
            f"{what}: {host} reports too many requests: {message or 'try again later'}"
            f"{rate_limit(answer.headers)}"
        )
    if answer.status == 404:
        return NotFound(f"{what}: {message or 'not found'}")
    kind = TransportFailed if answer.status >= 500 else RegistryError
    if answer.status == 416 or (answer.status == 400 and error.code in _SPOILT):
        kind = UploadRefused
    return kind(f"{what}: {host} answered {answer.status}{f': {message}' if message else ''}")


def rate_limit(headers: Mapping[str, str]) -> str:
    """Return the rate limit that an answer reports, in brackets; "" if it reports none.

    Headers: Docker Hub's ``RateLimit-Limit: 100;w=21600`` and ``RateLimit-Remaining``,
    and ``Retry-After`` of RFC 9110.

    >>> rate_limit({"RateLimit-Limit": "100;w=21600", "RateLimit-Remaining": "0;w=21600"})
    ' (limit: 100 in 6 hours, 0 left)'
    >>> rate_limit({"Retry-After": "90"})
    ' (try again in about a minute)'
    """
    parts = []
    limit, _, window = headers.get("RateLimit-Limit", "").partition(";w=")
    if limit.isdecimal():
        span = f" in {human_duration(int(window[:12])).lower()}" if window.isdecimal() else ""
        left = headers.get("RateLimit-Remaining", "").partition(";")[0]
        parts.append(f"limit: {limit[:12]}{span}" + (f", {left[:12]} left" * left.isdecimal()))
    wait = retry_after(headers.get("Retry-After"))
    if wait:
        parts.append(f"try again in {human_duration(wait).lower()}")
    return f" ({'; '.join(parts)})" if parts else ""


def _first_error(text: bytes) -> _Error:
    try:
        errors = msgspec.json.decode(text, type=_Errors).errors
    except (msgspec.MsgspecError, UnicodeError, RecursionError):
        errors = None
    return errors[0] if errors else _Error()
