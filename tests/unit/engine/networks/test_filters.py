# SPDX-License-Identifier: MIT
"""``network ls --filter`` and ``network prune --filter``."""

from __future__ import annotations

import pytest

from sandbox.engine.networks.filters import parse, parse_prune
from sandbox.errors import UsageError
from sandbox.models.network import Network
from tests.unit.engine.boxes import BACKEND, CREATED

BRIDGE = Network(id="c" * 64, name="bridge", created=CREATED)
HOST = Network(id="d" * 64, name="host", created=CREATED, driver="host")
EVERY = [BRIDGE, HOST, BACKEND]


@pytest.mark.parametrize(
    ("filters", "names"),
    [
        ([], ["bridge", "host", "backend"]),
        (["name=back"], ["backend"]),
        (["name=bridge", "name=host"], ["bridge", "host"]),
        (["id=bbb"], ["backend"]),
        (["driver=host"], ["host"]),
        (["driver=bridge", "type=custom"], ["backend"]),
        (["type=builtin"], ["bridge", "host"]),
        (["scope=local"], ["bridge", "host", "backend"]),
        (["scope=swarm"], []),
        (["label=team"], ["backend"]),
        (["label=team=b"], []),
        (["label=team=a", "label=other"], []),
    ],
)
def test_any_value_of_a_key_passes_but_every_label_is_needed(
    filters: list[str], names: list[str]
) -> None:
    assert [item.name for item in EVERY if parse(filters, set)(item)] == names


def test_a_dangling_network_is_the_user_s_and_nobody_is_on_it() -> None:
    def names(value: str, used: set[str]) -> list[str]:
        matches = parse([f"dangling={value}"], lambda: used)
        return [item.name for item in EVERY if matches(item)]

    assert names("true", set()) == ["backend"]
    assert names("true", {BACKEND.id}) == []
    assert names("false", {BACKEND.id}) == ["bridge", "host", "backend"]


def test_the_running_containers_are_looked_up_only_for_the_filter_dangling() -> None:
    def fail() -> set[str]:
        raise AssertionError("not asked for")

    parse(["name=x"], fail)


@pytest.mark.parametrize("text", ["odd=1", "type=odd", "dangling=maybe"])
def test_an_invalid_filter_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse([text], set)


@pytest.mark.parametrize(
    ("filters", "goes"),
    [
        ([], True),
        (["label=team"], True),
        (["label=team=b"], False),
        (["label!=team"], False),
        (["label!=other"], True),
        (["until=2026-01-02T00:00:00Z"], True),
        (["until=2025-12-31T00:00:00Z"], False),
        (["until=24h"], True),
        (["label=team", "until=2025-12-31T00:00:00Z"], False),
    ],
)
def test_a_prune_removes_networks_that_pass_every_filter(filters: list[str], goes: bool) -> None:
    assert parse_prune(filters)(BACKEND) == goes


@pytest.mark.parametrize("text", ["name=x", "until=soon"])
def test_a_prune_refuses_other_filters(text: str) -> None:
    with pytest.raises(UsageError):
        parse_prune([text])
