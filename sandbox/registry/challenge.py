# SPDX-License-Identifier: MIT
"""The ``WWW-Authenticate`` header of a registry. Pure.

Grammar (RFC 9110, 11.6.1)::

    header    := challenge ("," challenge)*
    challenge := scheme [ (token68 | param ("," param)*) ]
    param     := name "=" (token | quoted-string)

Rules: parts that do not fit the grammar are dropped, never guessed. Schemes are lower case.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

_WORD = r"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_PARAM = re.compile(rf'({_WORD})\s*=\s*(?:"((?:[^"\\]|\\.)*)"|({_WORD}))')
_SCHEME = re.compile(rf"({_WORD})(?:\s+|(?=,)|$)")
_TOKEN68 = re.compile(r"[A-Za-z0-9._~+/-]+=*(?=\s*(?:,|$))")


@dataclass(frozen=True)
class Challenge:
    """One authentication method that the server offers."""

    scheme: str
    params: dict[str, str] = field(default_factory=dict)


def parse_challenges(header: str) -> list[Challenge]:
    """Return the challenges in a header.

    >>> parse_challenges('Bearer realm="https://a/token",service="r"')
    [Challenge(scheme='bearer', params={'realm': 'https://a/token', 'service': 'r'})]
    >>> [item.scheme for item in parse_challenges('Basic realm="x", Bearer realm="y"')]
    ['basic', 'bearer']
    """
    found: list[Challenge] = []
    position = 0
    while position < len(header):
        if header[position] in ", \t":
            position += 1
            continue
        if (match := _PARAM.match(header, position)) and found:
            value = match[3] if match[2] is None else re.sub(r"\\(.)", r"\1", match[2])
            found[-1].params.setdefault(match[1].lower(), value)
            position = match.end()
        elif match := _SCHEME.match(header, position):
            found.append(Challenge(match[1].lower(), {}))
            position = match.end()
            if not _PARAM.match(header, position) and (opaque := _TOKEN68.match(header, position)):
                position = opaque.end()
        else:
            break
    return found


def pull_scope(path: str) -> str:
    """Return the token scope for reading a repository."""
    return f"repository:{path}:pull"


def push_scope(path: str) -> str:
    """Return the token scope for reading and writing a repository."""
    return f"repository:{path}:pull,push"
