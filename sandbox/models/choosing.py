# SPDX-License-Identifier: MIT
"""Choose containers and events by ``--filter``, and say how a container fares. Pure.

Several values of one key: any of them, but every label; several keys: all of them.
"""

from __future__ import annotations

import time
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from sandbox.errors import UsageError
from sandbox.models.moments import human_duration, parse_moment, seconds_since
from sandbox.models.oci import seconds_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from sandbox.models.container import Container
    from sandbox.models.volume import Volume


def status_text(container: Container, now: float) -> str:
    """Return the state in Docker's words: Up 2 minutes, Exited (0) 5 days ago."""
    state = container.state
    if state.status == "restarting":
        age = human_duration(seconds_since(state.finished_at, now))
        return f"Restarting ({state.exit_code}) {age} ago"
    if state.is_running:
        age = human_duration(seconds_since(state.started_at, now))
        health = {"": "", "starting": " (health: starting)"}
        name = state.health.status if state.health else ""
        paused = " (Paused)" if state.status == "paused" else ""
        return f"Up {age}{health.get(name, f' ({name})')}{paused}"
    if state.status == "exited":
        age = human_duration(seconds_since(state.finished_at, now))
        return f"Exited ({state.exit_code}) {age} ago"
    return "Dead" if state.status == "dead" else "Created"


_CONTAINER_TESTS: dict[str, Callable[[Container, str], bool]] = {
    "id": lambda item, value: item.config.id.startswith(value),
    "name": lambda item, value: (
        value.removeprefix("/") in item.config.name or fnmatchcase(item.config.name, value)
    ),
    "status": lambda item, value: item.state.status == value,
    "health": lambda item, value: (
        (item.state.health.status if item.state.health else "none") == value
    ),
    "volume": lambda item, value: any(value in (m.name, m.target) for m in item.config.mounts),
    "network": lambda item, value: (
        value == item.config.network.mode
        or any(value == place.network for place in item.config.network.endpoints)
    ),
    "since": lambda item, value: item.config.created > value,
    "before": lambda item, value: item.config.created < value,
    "exited": lambda item, value: (
        item.state.status == "exited" and str(item.state.exit_code) == value
    ),
    "ancestor": lambda item, value: _is_ancestor(item, value),
    "label": lambda item, value: _is_labelled(item, value),
}


def _is_ancestor(container: Container, value: str) -> bool:
    image = container.config.image
    digits = value.removeprefix("sha256:")
    by_id = container.config.image_id.removeprefix("sha256:").startswith(digits)
    return value in (image, image.removesuffix(":latest")) or (len(digits) > 3 and by_id)


def _is_labelled(container: Container, value: str) -> bool:
    key, equals, wanted = value.partition("=")
    labels = container.config.labels
    return key in labels and (not equals or labels[key] == wanted)


def enough(key: str) -> Callable[[Iterable[bool]], bool]:
    """Return how many values of a key must fit.

    >>> enough("label") is all, enough("name") is any
    (True, True)
    """
    return all if key == "label" else any


def container_filter(
    filters: Sequence[str], find: Callable[[str], Container]
) -> Callable[[Container], bool]:
    """Return the test for ``--filter``: any value of a key (of labels all), every key."""
    wanted: dict[str, list[str]] = {}
    for item in filters:
        key, equals, value = item.partition("=")
        if not equals:
            raise UsageError(f"invalid argument {item!r} for --filter: bad format")
        if key not in _CONTAINER_TESTS:
            raise UsageError(f"invalid filter '{key}'")
        if key == "status" and value not in (
            "created",
            "running",
            "exited",
            "paused",
            "restarting",
            "removing",
            "dead",
        ):
            raise UsageError(f"invalid filter 'status={value}'")
        if key in ("since", "before"):
            value = find(value).config.created
        wanted.setdefault(key, []).append(value)

    def matches(container: Container) -> bool:
        return all(
            enough(key)(_CONTAINER_TESTS[key](container, value) for value in values)
            for key, values in wanted.items()
        )

    return matches


def prune_filter(filters: Sequence[str]) -> Callable[[Container], bool]:
    """Return the test of what a prune may remove: ``label``, ``label!`` and ``until``."""
    tests: list[Callable[[Container], bool]] = []
    for item in filters:
        key, equals, value = item.partition("=")
        if key == "until" and equals:
            limit = parse_moment(value, time.time())
            tests.append(lambda found, limit=limit: seconds_of(found.config.created) < limit)  # type: ignore[misc]
        elif key == "label" and value.startswith("="):
            raise UsageError(f"invalid filter '{item}'")
        elif key in ("label", "label!") and equals:
            wanted = key == "label"
            tests.append(lambda found, v=value, w=wanted: _is_labelled(found, v) == w)  # type: ignore[misc]
        else:
            raise UsageError(f"invalid filter '{item}'")
    return lambda container: all(test(container) for test in tests)


def volume_filter(
    filters: Sequence[str], is_used: Callable[[str], bool]
) -> Callable[[Volume], bool]:
    """Return the test for ``--filter`` of volumes: every one; labels may be unwanted."""
    pairs = [text.partition("=")[::2] for text in filters]
    for key, _ in pairs:
        if key not in ("name", "dangling", "label", "label!", "driver"):
            raise UsageError(f"invalid filter '{key}'")
    return lambda item: all(_volume_fits(item, key, value, is_used) for key, value in pairs)


def _volume_fits(item: Volume, key: str, value: str, is_used: Callable[[str], bool]) -> bool:
    if key == "name":
        return value in item.name
    if key == "driver":
        return value == "local"
    if key == "dangling":
        return (value.lower() in ("1", "true")) != is_used(item.name)
    name, equals, wanted = value.partition("=")
    has = name in item.labels and (not equals or item.labels[name] == wanted)
    return has == (key == "label")


def event_filter(filters: Sequence[str]) -> Callable[[dict[str, Any]], bool]:
    """Return the test for ``--filter``: any value of a key (of labels all), every key."""
    wanted: dict[str, list[str]] = {}
    for item in filters:
        key, equals, value = item.partition("=")
        if not equals or key not in _EVENT_TESTS:
            raise UsageError(f"invalid filter '{item}'")
        wanted.setdefault(key, []).append(value)
    return lambda event: all(
        enough(key)(_EVENT_TESTS[key](event, value) for value in values)
        for key, values in wanted.items()
    )


def _is_object(event: dict[str, Any], kind: str, value: str) -> bool:
    actor = event["Actor"]
    named = actor["Attributes"].get("name") == value
    return bool(event["Type"] == kind and (named or actor["ID"].startswith(value)))


def _tells_label(event: dict[str, Any], value: str) -> bool:
    key, equals, text = value.partition("=")
    attributes = event["Actor"]["Attributes"]
    return key in attributes and (not equals or attributes[key] == text)


_EVENT_TESTS: dict[str, Callable[[dict[str, Any], str], bool]] = {
    "event": lambda event, value: event["Action"].partition(":")[0] == value,
    "type": lambda event, value: event["Type"] == value,
    "container": lambda event, value: _is_object(event, "container", value),
    "volume": lambda event, value: _is_object(event, "volume", value),
    "image": lambda event, value: (
        _is_object(event, "image", value) or event["Actor"]["Attributes"].get("image") == value
    ),
    "label": _tells_label,
}
