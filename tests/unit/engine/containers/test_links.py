# SPDX-License-Identifier: MIT
"""Other containers in a new container's network settings."""

from __future__ import annotations

import pytest

from sandbox.engine.containers.links import with_containers
from sandbox.errors import ContainerNotFound, UsageError
from sandbox.models.container import ContainerConfig
from sandbox.models.endpoints import Endpoint, NetworkConfig
from tests.unit.engine.boxes import config

DB = config("db", hostname="database", network=NetworkConfig(mode="bridge"))


def find(name: str) -> ContainerConfig:
    if name in ("db", DB.id):
        return DB
    raise ContainerNotFound(f"no such container: {name}")


def linked(network: str, name: str) -> ContainerConfig:
    endpoint = Endpoint(network, links=(("", name, "alias"),))
    return config(network=NetworkConfig(mode=network, endpoints=(endpoint,)))


def test_a_container_that_joins_another_has_its_id_and_its_hostname() -> None:
    found = with_containers(config(network=NetworkConfig(mode="container:db")), find)
    assert (found.network.mode, found.hostname) == (f"container:{DB.id}", "database")


def test_a_container_cannot_join_itself() -> None:
    with pytest.raises(UsageError, match="cannot join own network"):
        with_containers(config("db", network=NetworkConfig(mode="container:db")), find)


@pytest.mark.parametrize("network", ["bridge", "backend"])
def test_a_link_holds_the_id_of_the_other_container(network: str) -> None:
    found = with_containers(linked(network, "db"), find)
    assert found.network.endpoints[0].links == ((DB.id, "db", "alias"),)


def test_only_user_defined_networks_allow_links_to_containers_that_do_not_exist_yet() -> None:
    found = with_containers(linked("backend", "later"), find)
    assert found.network.endpoints[0].links == (("", "later", "alias"),)
    with pytest.raises(UsageError, match="could not get container for later"):
        with_containers(linked("bridge", "later"), find)


def test_a_container_on_the_host_s_network_cannot_be_linked() -> None:
    on_host = config("db", network=NetworkConfig(mode="host"))
    with pytest.raises(UsageError, match="host type networking can't be used with links"):
        with_containers(linked("bridge", "db"), lambda _: on_host)
