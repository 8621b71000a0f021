# SPDX-License-Identifier: MIT
"""The filters of ``images``, by Docker's rules. Pure.

Keys: dangling=true|false, label=KEY[=VALUE], label!=, reference=GLOB, before= and since= (an
image), until= (a time). Values of one key are alternatives, except labels, which must all match.
All keys must match.
"""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING

from sandbox.errors import UsageError
from sandbox.models.oci import seconds_of
from sandbox.models.record import replace
from sandbox.models.reference import parse_reference
from sandbox.models.timestamps import parse_moment

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

    from sandbox.models.image import Image

_KEYS = ("before", "dangling", "label", "label!", "reference", "since", "until")


def parse_filters(filters: Iterable[str], keys: Collection[str] = _KEYS) -> dict[str, list[str]]:
    """Return the values of each key in "key=value" strings. Raises UsageError.

    >>> parse_filters(["dangling=true", "label=a", "label=b=c"])
    {'dangling': ['true'], 'label': ['a', 'b=c']}
    """
    wanted: dict[str, list[str]] = {}
    for item in filters:
        key, equals, value = item.partition("=")
        if not equals:
            raise UsageError(f"invalid argument {item!r} for --filter: bad format")
        if key not in keys:
            raise UsageError(f"invalid filter '{key}'")
        wanted.setdefault(key, []).append(value)
    return wanted


def enough(key: str) -> Callable[[Iterable[bool]], bool]:
    """Return ``all`` or ``any``: whether all values of a key must match, or one.

    >>> enough("label") is all, enough("name") is any
    (True, True)
    """
    return all if key in ("label", "label!") else any


def parse_truth(key: str, value: str) -> bool:
    """Return the truth value of a filter: true, false, 1 or 0. Raises UsageError.

    >>> parse_truth("dangling", "True"), parse_truth("dangling", "0")
    (True, False)
    """
    if value.lower() not in ("true", "false", "1", "0"):
        raise UsageError(f"invalid filter '{key}=[{value}]'")
    return value.lower() in ("true", "1")


def select_images(
    images: Sequence[Image],
    filters: dict[str, list[str]],
    *,
    find: Callable[[str], Image],
) -> list[Image]:
    """Return the matching images, each with its matching names only."""
    chosen = [image for image in images if _passes(image, filters)]
    for key, newer in (("before", False), ("since", True)):
        for name in filters.get(key, ()):
            moment = seconds_of(find(name).created)
            chosen = [
                image
                for image in chosen
                if seconds_of(image.created) != moment
                and (seconds_of(image.created) > moment) == newer
            ]
    patterns = filters.get("reference")
    if patterns is None:
        return chosen
    named = [_with_matching_names(image, patterns) for image in chosen]
    return [image for image in named if image.repo_tags or image.repo_digests]


def _passes(image: Image, filters: dict[str, list[str]]) -> bool:
    for text in filters.get("dangling", ()):
        if parse_truth("dangling", text) == bool(image.repo_tags):
            return False
    labels = image.config.labels or {}
    if not all(_has(labels, text) for text in filters.get("label", ())):
        return False
    if any(_has(labels, text) for text in filters.get("label!", ())):
        return False
    limits = [parse_moment(text, time.time()) for text in filters.get("until", ())]
    return all(seconds_of(image.created) < limit for limit in limits)


def _has(labels: Mapping[str, str], text: str) -> bool:
    key, equals, value = text.partition("=")
    return key in labels and (not equals or labels[key] == value)


def _with_matching_names(image: Image, patterns: Sequence[str]) -> Image:
    return replace(
        image,
        repo_tags=tuple(name for name in image.repo_tags if _matches(name, patterns)),
        repo_digests=tuple(name for name in image.repo_digests if _matches(name, patterns)),
    )


def _matches(name: str, patterns: Sequence[str]) -> bool:
    reference = parse_reference(name)
    candidates = (reference.familiar, reference.familiar_name, str(reference), reference.name)
    return any(
        _glob(pattern).fullmatch(candidate) for pattern in patterns for candidate in candidates
    )


def _glob(pattern: str) -> re.Pattern[str]:
    """Return Go's path.Match as a regular expression, in which "*" does not match a slash."""
    parts = {"*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(parts.get(char, re.escape(char)) for char in pattern))
