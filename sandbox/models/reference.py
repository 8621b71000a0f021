# SPDX-License-Identifier: MIT
r"""Image references, parsed as Docker parses them.

Grammar (after github.com/distribution/reference)::

    reference  := name [ ":" tag ] [ "@" digest ]
    name       := [ domain "/" ] component ("/" component)*
    domain     := host-component ("." host-component)* [ ":" digits ]
                | "[" ipv6 "]" [ ":" digits ]
    component  := [a-z0-9]+ (("." | "_" | "__" | "-"+) [a-z0-9]+)*
    tag        := \w [\w.-]{0,127}
    digest     := algorithm ":" at least 32 hexadecimal digits

The first component is a domain only if it contains "." or ":", is "localhost", or has an
upper-case letter. Without a domain, docker.io is meant, where a single component is in
"library/".

Must not know: which images exist.
"""

from __future__ import annotations

import re

from sandbox.errors import ReferenceSyntaxError
from sandbox.models.digest import Digest
from sandbox.models.record import Record, replace

DEFAULT_DOMAIN = "docker.io"
DEFAULT_TAG = "latest"
HOST = "docker.io/library/host"
"""The reserved name for the host's own tree as the only lower layer."""

_LEGACY_DOMAIN = "index.docker.io"
_LIBRARY = "library/"
_NAME_LIMIT = 255
_INPUT_LIMIT = 4096
_DIGEST_DIGITS = {"sha256": 64, "sha384": 96, "sha512": 128}

_COMPONENT = r"[a-z0-9]+(?:(?:[._]|__|[-]+)[a-z0-9]+)*"
_HOST_PART = r"(?:[a-zA-Z0-9]|[a-zA-Z0-9][a-zA-Z0-9-]*[a-zA-Z0-9])"
_DOMAIN = rf"(?:{_HOST_PART}(?:\.{_HOST_PART})*|\[[a-fA-F0-9:]+\])(?::[0-9]+)?"
_PATH = rf"{_COMPONENT}(?:/{_COMPONENT})*"
_TAG = r"\w[\w.-]{0,127}"
_DIGEST = r"[A-Za-z][A-Za-z0-9]*(?:[-_+.][A-Za-z][A-Za-z0-9]*)*:[0-9a-fA-F]{32,}"
_REFERENCE = re.compile(
    rf"(?P<name>(?:{_DOMAIN}/)?{_PATH})(?::(?P<tag>{_TAG}))?(?:@(?P<digest>{_DIGEST}))?",
    re.ASCII,
)
_FULL_ID = re.compile(r"[a-f0-9]{64}")
_ID_PREFIX = re.compile(r"(?:sha256:)?([a-f0-9]{1,64})")


class Reference(Record, frozen=True):
    """A normalised reference to an image."""

    domain: str
    path: str
    tag: str | None = None
    digest: Digest | None = None

    @property
    def name(self) -> str:
        """The repository with its domain, for example docker.io/library/ubuntu."""
        return f"{self.domain}/{self.path}"

    @property
    def familiar_name(self) -> str:
        """The repository in short form, for example ubuntu."""
        if self.domain != DEFAULT_DOMAIN:
            return self.name
        rest = self.path.removeprefix(_LIBRARY)
        return self.path if "/" in rest else rest

    @property
    def familiar(self) -> str:
        """The reference in short form, for example ubuntu:14.04."""
        return self.familiar_name + self._suffix()

    @property
    def is_host(self) -> bool:
        """Whether this is the reserved image "host"."""
        return self.name == HOST

    def with_default_tag(self) -> Reference:
        """Return the reference, with the tag "latest" if it has neither tag nor digest."""
        if self.tag is None and self.digest is None:
            return replace(self, tag=DEFAULT_TAG)
        return self

    def __str__(self) -> str:
        """Return the full form, for example docker.io/library/ubuntu:14.04."""
        return self.name + self._suffix()

    def _suffix(self) -> str:
        tag = f":{self.tag}" if self.tag is not None else ""
        return tag + (f"@{self.digest}" if self.digest is not None else "")


def parse_reference(text: str) -> Reference:
    """Return the reference in *text*. Raises ReferenceSyntaxError.

    >>> str(parse_reference("ubuntu:14.04"))
    'docker.io/library/ubuntu:14.04'
    >>> str(parse_reference("localhost:5000/a/b"))
    'localhost:5000/a/b'
    >>> parse_reference("Ubuntu")
    Traceback (most recent call last):
    ...
    sandbox.errors.ReferenceSyntaxError: invalid reference format: repository \
name (library/Ubuntu) must be lowercase
    """
    if _FULL_ID.fullmatch(text):
        raise ReferenceSyntaxError(
            f"invalid repository name ({text}), cannot specify 64-byte hexadecimal strings"
        )
    if len(text) > _INPUT_LIMIT:
        raise ReferenceSyntaxError("invalid reference format: too long")
    domain, rest = _split_domain(text)
    remote = rest.partition(":")[0]
    if remote != remote.lower():
        raise ReferenceSyntaxError(
            f"invalid reference format: repository name ({remote}) must be lowercase"
        )
    match = _REFERENCE.fullmatch(f"{domain}/{rest}")
    if match is None or not match["name"].startswith(f"{domain}/"):
        raise ReferenceSyntaxError("invalid reference format")
    path = match["name"].removeprefix(f"{domain}/")
    if len(path) > _NAME_LIMIT:
        raise ReferenceSyntaxError(
            f"repository name must not be more than {_NAME_LIMIT} characters"
        )
    return Reference(domain, path, match["tag"], _checked_digest(match["digest"]))


def id_prefix(text: str) -> str | None:
    """Return the hexadecimal digits of a whole or abbreviated image id, or None.

    >>> id_prefix("sha256:ab12"), id_prefix("ab12"), id_prefix("ubuntu")
    ('ab12', 'ab12', None)
    """
    match = _ID_PREFIX.fullmatch(text)
    return match[1] if match else None


def image_reference(text: str) -> Reference | None:
    """Return *text* as a reference; None if it can only be an image id."""
    if text.startswith("sha256:") or _FULL_ID.fullmatch(text):
        return None
    return parse_reference(text)


def is_pullable(text: str) -> bool:
    """Return whether *text* is a name that a registry could know."""
    reference = image_reference(text)
    return reference is not None and not reference.is_host


def _split_domain(text: str) -> tuple[str, str]:
    first, slash, rest = text.partition("/")
    is_domain = slash and (
        "." in first or ":" in first or first == "localhost" or first.lower() != first
    )
    domain, rest = (first, rest) if is_domain else (DEFAULT_DOMAIN, text)
    if domain == _LEGACY_DOMAIN:
        domain = DEFAULT_DOMAIN
    if domain == DEFAULT_DOMAIN and "/" not in rest:
        rest = _LIBRARY + rest
    return domain, rest


def _checked_digest(text: str | None) -> Digest | None:
    if text is None:
        return None
    algorithm, _, digits = text.partition(":")
    if algorithm not in _DIGEST_DIGITS:
        raise ReferenceSyntaxError("unsupported digest algorithm")
    if len(digits) != _DIGEST_DIGITS[algorithm]:
        raise ReferenceSyntaxError("invalid checksum digest length")
    if digits != digits.lower():
        raise ReferenceSyntaxError("invalid checksum digest format")
    return Digest(text)
