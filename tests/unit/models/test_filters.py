# SPDX-License-Identifier: MIT
"""Filters of volumes, events and prune, and the status text of ``ps``."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.errors import UsageError
from sandbox.models.container import Container, ContainerConfig, ContainerState
from sandbox.models.filters import event_filter, prune_filter, status_text, volume_filter
from sandbox.models.policy import HealthState
from sandbox.models.record import replace
from sandbox.models.volume import Volume

BOX = Container(
    ContainerConfig(
        id="a" * 64,
        name="web",
        image="alpine",
        image_id="sha256:0",
        entrypoint=(),
        cmd=("true",),
        created="2026-01-01T00:00:00Z",
    ),
    ContainerState(status="created"),
)
NOW = 1_767_225_600.0 + 3600  # one hour after the container was created


def state(**changes: Any) -> Container:
    return BOX.with_state(replace(BOX.state, **changes))


@pytest.mark.parametrize(
    ("changes", "text"),
    [
        ({}, "Created"),
        ({"status": "dead"}, "Dead"),
        ({"status": "running", "started_at": "2026-01-01T00:55:00Z"}, "Up 5 minutes"),
        (
            {
                "status": "running",
                "started_at": "2026-01-01T00:59:50Z",
                "health": HealthState(status="starting"),
            },
            "Up 10 seconds (health: starting)",
        ),
        (
            {
                "status": "running",
                "started_at": "2026-01-01T00:59:50Z",
                "health": HealthState(status="healthy"),
            },
            "Up 10 seconds (healthy)",
        ),
        ({"status": "paused", "started_at": "2026-01-01T00:59:50Z"}, "Up 10 seconds (Paused)"),
        (
            {"status": "exited", "finished_at": "2026-01-01T00:00:00Z", "exit_code": 3},
            "Exited (3) About an hour ago",
        ),
        (
            {"status": "restarting", "finished_at": "2026-01-01T00:59:58Z", "exit_code": 1},
            "Restarting (1) 2 seconds ago",
        ),
    ],
)
def test_the_status_text_is_the_same_as_in_docker_ps(changes: dict[str, Any], text: str) -> None:
    assert status_text(state(**changes), NOW) == text


def test_prune_needs_a_match_of_every_filter() -> None:
    labelled = Container(replace(BOX.config, labels={"keep": "no"}), BOX.state)
    assert prune_filter(["until=2026-01-02T00:00:00Z", "label=keep=no"])(labelled)
    assert not prune_filter(["until=2025-12-31T00:00:00Z"])(labelled)
    assert not prune_filter(["label!=keep"])(labelled)
    assert prune_filter(["label!=keep"])(BOX)


@pytest.mark.parametrize("text", ["until", "label==x", "name=a", "label"])
def test_an_unknown_filter_of_prune_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="invalid"):
        prune_filter([text])


VOLUME = Volume("data", "/v/data", "2026-01-01T00:00:00Z", labels={"a": "1"})


@pytest.mark.parametrize(
    ("filters", "fits"),
    [
        (["name=dat"], True),
        (["name=^ata"], False),
        (["driver=local"], True),
        (["driver=nfs"], False),
        (["label=a"], True),
        (["label=a=2"], False),
        (["label!=a=2"], True),
        (["dangling=true"], False),
        (["dangling=false"], True),
        (["name=no", "name=dat"], True),
        (["label=a", "label=b"], False),
    ],
)
def test_filters_choose_the_same_volumes_as_dockers(filters: list[str], fits: bool) -> None:
    assert volume_filter(filters, lambda name: name == "data")(VOLUME) is fits


EVENT: dict[str, Any] = {
    "Type": "container",
    "Action": "exec_start: sh",
    "Actor": {"ID": "abc123", "Attributes": {"name": "web", "image": "host/alpine:3", "x": "1"}},
    "scope": "local",
}


@pytest.mark.parametrize(
    ("filters", "fits"),
    [
        (["event=exec_start"], True),
        (["event=die"], False),
        (["type=container", "scope=local"], True),
        (["container=web"], True),
        (["container=abc"], True),
        (["container=nope", "container=web"], True),
        (["volume=web"], False),
        (["image=host/alpine:3"], True),
        (["image=host/alpine"], True),
        (["image=alpine"], False),
        (["label=x"], True),
        (["label=x=2"], False),
        (["daemon=x"], False),
    ],
)
def test_filters_choose_the_same_events_as_dockers(filters: list[str], fits: bool) -> None:
    assert event_filter(filters)(EVENT) is fits


def test_an_image_event_matches_a_prefix_of_its_id() -> None:
    event = {
        "Type": "image",
        "Action": "tag",
        "Actor": {"ID": "sha256:feedbeef", "Attributes": {"name": "a:1"}},
    }
    assert event_filter(["image=feed"])(event)
    assert event_filter(["image=a"])(event)
    assert not event_filter(["image=fee"])(event), "a prefix of three letters matches"


def test_an_unknown_filter_of_events_is_refused() -> None:
    with pytest.raises(UsageError, match="invalid filter 'color'"):
        event_filter(["color=red"])
