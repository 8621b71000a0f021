# SPDX-License-Identifier: MIT
"""``network ls --filter`` and ``network prune --filter``.

Rules: pure, but for the clock that ``until`` reads.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from sandbox.errors import UsageError
from sandbox.models.container_filters import fits_pattern
from sandbox.models.image_filters import enough, parse_filters, parse_truth
from sandbox.models.timestamps import parse_moment

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from sandbox.models.network import Network

_KEYS = ("dangling", "driver", "id", "label", "name", "scope", "type")


def parse(filters: Iterable[str], used: Callable[[], set[str]]) -> Callable[[Network], bool]:
    """Return the test of ``network ls --filter``.

    A network passes if it passes every key: any value of a key, but every value of ``label``.
    *used* returns the ids of the networks with running containers.
    """
    wanted = parse_filters(filters, _KEYS)
    for value in wanted.get("type", ()):
        if value not in ("custom", "builtin"):
            raise UsageError(f"invalid filter: 'type'='{value}'")
    for value in wanted.get("dangling", ()):
        parse_truth("dangling", value)
    in_use = used() if "dangling" in wanted else set()
    return lambda item: all(
        enough(key)(_fits(item, key, value, in_use) for value in values)
        for key, values in wanted.items()
    )


def _fits(item: Network, key: str, value: str, used: set[str]) -> bool:
    if key == "label":
        return _has_label(item, value)
    if key == "dangling":
        is_idle = not item.is_predefined and item.id not in used
        return parse_truth("dangling", value) == is_idle
    tests = {
        "name": fits_pattern(value, item.name),
        "id": item.id.startswith(value),
        "driver": item.driver == value,
        "scope": value == "local",
        "type": (value == "builtin") == item.is_predefined,
    }
    return tests[key]


def _has_label(item: Network, value: str) -> bool:
    name, equals, wanted = value.partition("=")
    return name in item.labels and (not equals or item.labels[name] == wanted)


def parse_prune(filters: Iterable[str]) -> Callable[[Network], bool]:
    """Return the test of ``network prune --filter``: label, label!, until."""
    pairs = [
        (text.replace("label!=", "label!", 1) if text.startswith("label!=") else text)
        for text in filters
    ]
    unwanted = [text.removeprefix("label!") for text in pairs if text.startswith("label!")]
    wanted = parse_filters((t for t in pairs if not t.startswith("label!")), ("label", "until"))
    moments = [parse_moment(text, time.time()) for text in wanted.get("until", ())]

    def fits(item: Network) -> bool:
        created = parse_moment(item.created, 0)
        return (
            all(_has_label(item, value) for value in wanted.get("label", ()))
            and not any(_has_label(item, value) for value in unwanted)
            and all(created < moment for moment in moments)
        )

    return fits
