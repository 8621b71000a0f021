# SPDX-License-Identifier: MIT
"""Filters for volumes, events and prunes, and the STATUS column of ``ps``. Pure.

Values of one key are alternatives, except labels, which must all match. All keys must match.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from sandbox.errors import UsageError
from sandbox.models.container_filters import fits_pattern, is_labelled
from sandbox.models.image_filters import enough, parse_filters, parse_truth
from sandbox.models.oci import seconds_of
from sandbox.models.timestamps import human_duration, parse_moment, seconds_since

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.models.container import Container
    from sandbox.models.volume import Volume


def status_text(container: Container, now: float) -> str:
    """Return the state in Docker's words: "Up 2 minutes", "Exited (0) 5 days ago"."""
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


def prune_filter(filters: Sequence[str]) -> Callable[[Container], bool]:
    """Return the test for containers that a prune may remove: ``label``, ``label!``, ``until``."""
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
            tests.append(lambda found, v=value, w=wanted: is_labelled(found, v) == w)  # type: ignore[misc]
        else:
            raise UsageError(f"invalid filter '{item}'")
    return lambda container: all(test(container) for test in tests)


_VOLUME_KEYS = ("name", "dangling", "label", "label!", "driver")


def volume_filter(
    filters: Sequence[str], is_used: Callable[[str], bool]
) -> Callable[[Volume], bool]:
    """Return the test for volumes. It has ``label!``; names are regular expressions."""
    wanted = parse_filters(filters, _VOLUME_KEYS)
    dangling = [parse_truth("dangling", value) for value in wanted.pop("dangling", [])]

    def fits(item: Volume) -> bool:
        if dangling and is_used(item.name) in dangling:
            return False
        return all(
            enough(key)(_volume_fits(item, key, value) for value in values)
            for key, values in wanted.items()
        )

    return fits


def _volume_fits(item: Volume, key: str, value: str) -> bool:
    if key == "name":
        return fits_pattern(value, item.name)
    if key == "driver":
        return value == "local"
    name, equals, wanted = value.partition("=")
    has = name in item.labels and (not equals or item.labels[name] == wanted)
    return has == (key == "label")


def event_filter(filters: Sequence[str]) -> Callable[[dict[str, Any]], bool]:
    """Return the test for events. Raises UsageError for an unknown key."""
    wanted: dict[str, list[str]] = {}
    for item in filters:
        key, equals, value = item.partition("=")
        if not equals or key not in _EVENT_TESTS:
            raise UsageError(f"invalid filter '{key}'")
        wanted.setdefault(key, []).append(value)
    return lambda event: all(
        enough(key)(_EVENT_TESTS[key](event, value) for value in values)
        for key, values in wanted.items()
    )


def _is_object(event: dict[str, Any], kind: str, value: str) -> bool:
    actor = event["Actor"]
    named = actor["Attributes"].get("name") == value
    return bool(event["Type"] == kind and (named or actor["ID"].startswith(value)))


def _is_image(event: dict[str, Any], value: str) -> bool:
    """Return whether an event is about an image or its container; a tag may be missing."""
    actor = event["Actor"]
    if event["Type"] not in ("image", "container"):
        return False
    is_own = event["Type"] == "image"
    names = {actor["Attributes"].get("name" if is_own else "image", "")}
    if is_own:
        names.add(actor["ID"])
        if len(value) > 3 and actor["ID"].removeprefix("sha256:").startswith(value):
            return True
    return value in names or value in {_without_tag(name) for name in names if name}


def _without_tag(name: str) -> str:
    head, slash, last = name.rpartition("/")
    return head + slash + last.partition("@")[0].partition(":")[0]


def _tells_label(event: dict[str, Any], value: str) -> bool:
    key, equals, text = value.partition("=")
    attributes = event["Actor"]["Attributes"]
    return key in attributes and (not equals or attributes[key] == text)


_EVENT_TESTS: dict[str, Callable[[dict[str, Any], str], bool]] = {
    "event": lambda event, value: event["Action"].partition(":")[0] == value,
    "type": lambda event, value: event["Type"] == value,
    "container": lambda event, value: _is_object(event, "container", value),
    "volume": lambda event, value: _is_object(event, "volume", value),
    "network": lambda event, value: _is_object(event, "network", value),
    "image": _is_image,
    "scope": lambda event, value: event.get("scope") == value,
    "daemon": lambda event, value: event["Type"] == "daemon",
    "label": _tells_label,
}
