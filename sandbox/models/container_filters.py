# SPDX-License-Identifier: MIT
"""The filters of ``ps --filter``, by Docker's rules. Pure.

Values of one key are alternatives, except labels, which must all match. All keys must match.
A name is a regular expression that may match any part of the container's name.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from sandbox.errors import UsageError
from sandbox.models.image_filters import enough, parse_filters, parse_truth
from sandbox.models.ports import Port, parse_exposed
from sandbox.models.record import Record

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sandbox.models.container import Container

_STATUSES = ("created", "restarting", "running", "removing", "paused", "exited", "dead")
_HEALTHS = ("starting", "healthy", "unhealthy", "none")


class Lookups(Record, frozen=True):
    """Functions that look up other objects for a filter.

    They return the container with a name; the ids of an image and of all images based on it; the
    names and ids of the networks that a word refers to.
    """

    container: Callable[[str], Container]
    family: Callable[[str], set[str]]
    networks: Callable[[str], set[str]]


def fits_pattern(pattern: str, text: str) -> bool:
    """Return whether *text* equals *pattern* or matches it as a regular expression.

    >>> fits_pattern("^we", "web"), fits_pattern("b$", "web"), fits_pattern("w(", "w(")
    (True, True, True)
    """
    try:
        return pattern == text or re.search(pattern, text) is not None
    except re.error:
        return False


def container_filter(filters: Sequence[str], lookups: Lookups) -> Callable[[Container], bool]:
    """Return the test for the values of ``--filter``. Raises UsageError."""
    wanted = parse_filters(filters, _KEYS)
    tests = [
        (enough(key), [_KEYS[key](value, lookups) for value in values])
        for key, values in wanted.items()
    ]
    return lambda container: all(
        how(test(container) for test in alternatives) for how, alternatives in tests
    )


def _test_id(value: str, _: Lookups) -> Callable[[Container], bool]:
    return lambda item: item.config.id.startswith(value)


def _test_name(value: str, _: Lookups) -> Callable[[Container], bool]:
    return lambda item: (
        fits_pattern(value, item.config.name) or fits_pattern(value, f"/{item.config.name}")
    )


def _test_label(value: str, _: Lookups) -> Callable[[Container], bool]:
    return lambda item: is_labelled(item, value)


def _test_status(value: str, _: Lookups) -> Callable[[Container], bool]:
    if value not in _STATUSES:
        raise UsageError(f"invalid filter 'status={value}'")
    return lambda item: item.state.status == value


def _test_health(value: str, _: Lookups) -> Callable[[Container], bool]:
    if value not in _HEALTHS:
        raise UsageError(f"invalid filter 'health={value}'")
    return lambda item: (item.state.health.status if item.state.health else "none") == value


def _test_exited(value: str, _: Lookups) -> Callable[[Container], bool]:
    if not re.fullmatch("[+-]?[0-9]+", value):
        raise UsageError(f"invalid filter 'exited={value}'")
    return lambda item: (
        not item.state.is_running
        and item.state.started_at != ""
        and item.state.exit_code == int(value)
    )


def _test_ancestor(value: str, lookups: Lookups) -> Callable[[Container], bool]:
    ids = lookups.family(value)
    return lambda item: item.config.image_id in ids


def _test_volume(value: str, _: Lookups) -> Callable[[Container], bool]:
    return lambda item: any(
        value in (mount.target, mount.name or mount.source) for mount in item.config.mounts
    )


def _test_network(value: str, lookups: Lookups) -> Callable[[Container], bool]:
    words = lookups.networks(value)
    return lambda item: (
        item.config.network.mode in words
        or any(place.network in words for place in item.config.network.endpoints)
    )


def _test_since(value: str, lookups: Lookups) -> Callable[[Container], bool]:
    moment = lookups.container(value).config.created
    return lambda item: item.config.created > moment


def _test_before(value: str, lookups: Lookups) -> Callable[[Container], bool]:
    moment = lookups.container(value).config.created
    return lambda item: item.config.created < moment


def _test_publish(value: str, _: Lookups) -> Callable[[Container], bool]:
    ports = _ports(value, "publish")

    def fits(item: Container) -> bool:
        network = item.config.network
        if any(wish.port in ports for wish in network.publications):
            return True
        return network.publish_all and _exposes(item, ports)

    return fits


def _test_expose(value: str, _: Lookups) -> Callable[[Container], bool]:
    ports = _ports(value, "expose")
    return lambda item: (
        _exposes(item, ports)
        or any(wish.port in ports for wish in item.config.network.publications)
    )


def _test_task(value: str, _: Lookups) -> Callable[[Container], bool]:
    wanted = parse_truth("is-task", value)  # without swarm, no container is a task
    return lambda _item: not wanted


def _ports(value: str, key: str) -> frozenset[Port]:
    try:
        return frozenset(parse_exposed(value))
    except UsageError:
        raise UsageError(f"invalid filter '{key}={value}'") from None


def _exposes(container: Container, ports: frozenset[Port]) -> bool:
    exposed = (port for text in container.config.exposed_ports for port in parse_exposed(text))
    return any(port in ports for port in exposed)


def is_labelled(container: Container, value: str) -> bool:
    """Return whether a container has the label KEY or KEY=VALUE."""
    key, equals, wanted = value.partition("=")
    labels = container.config.labels
    return key in labels and (not equals or labels[key] == wanted)


_KEYS: dict[str, Callable[[str, Lookups], Callable[[Container], bool]]] = {
    "ancestor": _test_ancestor,
    "before": _test_before,
    "exited": _test_exited,
    "expose": _test_expose,
    "health": _test_health,
    "id": _test_id,
    "is-task": _test_task,
    "label": _test_label,
    "name": _test_name,
    "network": _test_network,
    "publish": _test_publish,
    "since": _test_since,
    "status": _test_status,
    "volume": _test_volume,
}
