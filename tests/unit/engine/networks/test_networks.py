# SPDX-License-Identifier: MIT
"""Networks of containers that do not run: created, connected, left, removed."""

from __future__ import annotations

import pytest

from sandbox.engine.containers.config import CreateRequest
from sandbox.errors import Conflict, NetworkNotFound, NotFound, UsageError
from sandbox.models.endpoints import Endpoint, NetworkFlags
from sandbox.models.network import NetworkWish
from tests.harness.store import Store


def networks_of(engine: Store, name: str) -> list[str]:
    return [item.network for item in engine.containers.get(name).config.network.endpoints]


def test_a_network_is_found_listed_and_removed(engine: Store) -> None:
    made = engine.networks.create(NetworkWish(name="backend"))
    assert engine.networks.get("backend") == engine.networks.get(made.id[:8]) == made
    assert [item.name for item in engine.networks.list()][-1] == "backend"
    assert engine.networks.list(["type=custom"]) == [made]
    assert engine.networks.inspect("backend")["Containers"] == {}
    engine.networks.remove("backend")
    with pytest.raises(NetworkNotFound):
        engine.networks.get("backend")


def test_a_predefined_network_cannot_be_removed(engine: Store) -> None:
    with pytest.raises(Conflict, match="pre-defined network"):
        engine.networks.remove("bridge")


def test_a_container_that_does_not_run_changes_its_networks(engine: Store) -> None:
    engine.networks.create(NetworkWish(name="backend"))
    engine.containers.create(CreateRequest(image="host", name="box"))
    engine.networks.connect("backend", "box", Endpoint("backend", aliases=("db",)))
    assert networks_of(engine, "box") == ["bridge", "backend"]
    with pytest.raises(Conflict, match="already exists in network backend"):
        engine.networks.connect("backend", "box", Endpoint("backend"))
    engine.networks.disconnect("bridge", "box")
    assert networks_of(engine, "box") == ["backend"]
    with pytest.raises(Conflict, match="is not connected to network bridge"):
        engine.networks.disconnect("bridge", "box")


def test_force_disconnects_a_container_that_does_not_exist(engine: Store) -> None:
    with pytest.raises(NotFound):
        engine.networks.disconnect("bridge", "nobody")
    engine.networks.disconnect("bridge", "nobody", force=True)


@pytest.mark.parametrize(
    ("mode", "network", "message"),
    [
        ("host", "backend", "one of the networks in host mode"),
        ("none", "backend", "one of the networks in private .none. mode"),
        ("bridge", "host", "cannot be connected to host network"),
    ],
)
def test_the_networks_host_and_none_exclude_others(
    engine: Store, mode: str, network: str, message: str
) -> None:
    engine.networks.create(NetworkWish(name="backend"))
    flags = NetworkFlags(networks=(mode,))
    engine.containers.create(CreateRequest(image="host", name="box", network=flags))
    with pytest.raises(Conflict, match=message):
        engine.networks.connect(network, "box", Endpoint(network))


def test_the_default_bridge_takes_no_aliases(engine: Store) -> None:
    engine.networks.create(NetworkWish(name="backend"))
    flags = NetworkFlags(networks=("backend",))
    engine.containers.create(CreateRequest(image="host", name="box", network=flags))
    with pytest.raises(UsageError, match="network-scoped alias"):
        engine.networks.connect("bridge", "box", Endpoint("bridge", aliases=("db",)))


def test_a_link_is_removed_by_its_alias(engine: Store) -> None:
    engine.containers.create(CreateRequest(image="host", name="db"))
    flags = NetworkFlags(links=("db:database",))
    engine.containers.create(CreateRequest(image="host", name="web", network=flags))
    with pytest.raises(NotFound, match="no such link: /web/other"):
        engine.networks.remove_link("web", "other")
    engine.networks.remove_link("web", "database")
    assert engine.containers.get("web").config.network.endpoints[0].links == ()


def test_a_prune_keeps_networks_that_a_container_is_configured_for(engine: Store) -> None:
    for name in ("used", "free"):
        engine.networks.create(NetworkWish(name=name))
    flags = NetworkFlags(networks=("used",))
    engine.containers.create(CreateRequest(image="host", network=flags))
    assert engine.networks.prune(["label=none"]).networks == []
    assert engine.networks.prune().networks == ["free"]
    assert engine.networks.get("used").name == "used"
