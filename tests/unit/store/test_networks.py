# SPDX-License-Identifier: MIT
from __future__ import annotations

import os
import pathlib

import pytest

from sandbox.errors import Conflict, NetworkNotFound, RuntimeFailed
from sandbox.models.addresses import parse_subnet, pool_of
from sandbox.models.network import Network, NetworkWish
from sandbox.store.layout import Layout
from sandbox.store.networks import NetworkStore


@pytest.fixture
def store(tmp_path: pathlib.Path) -> NetworkStore:
    return NetworkStore(Layout(tmp_path / "store"))


def create(store: NetworkStore, name: str, **wish: object) -> Network:
    with store.locked():
        wanted = NetworkWish(name=name, **wish)
        return store.create(wanted, network_id=os.urandom(32).hex(), created=name)


def test_three_networks_exist_without_any_file(store: NetworkStore, tmp_path: pathlib.Path) -> None:
    assert [item.name for item in store.all()] == ["bridge", "host", "none"]
    assert store.all() == store.all()
    assert not (tmp_path / "store").exists()


def test_a_network_is_found_until_it_is_removed(store: NetworkStore) -> None:
    made = create(store, "back", labels={"a": "b"})
    assert store.find("back") == store.find(made.id[:10]) == made
    assert made.subnet is not None
    assert made.subnet.overlaps(pool_of(os.getuid()))
    assert made.gateway == made.subnet.base + 1
    store.remove(made)
    with pytest.raises(NetworkNotFound, match="network back not found"):
        store.find("back")


def test_networks_have_different_names_numbers_and_subnets(store: NetworkStore) -> None:
    made = [create(store, f"n{index}") for index in range(5)]
    everybody = [*made, store.find("bridge")]
    assert len({item.number for item in everybody}) == 6
    assert len({str(item.subnet) for item in everybody}) == 6
    with pytest.raises(Conflict, match="network with name n1 already exists"):
        create(store, "n1")
    with pytest.raises(Conflict, match="network with name bridge already exists"):
        create(store, "bridge")
    with pytest.raises(Conflict, match="overlaps with other one"):
        create(store, "more", subnet=made[0].subnet)
    store.remove(made[2])
    assert create(store, "again").number == made[2].number


def test_a_full_address_pool_is_an_error_but_a_chosen_subnet_works(
    store: NetworkStore,
) -> None:
    for index in range(62):
        create(store, f"n{index:02}")
    with pytest.raises(RuntimeFailed, match="address pools have been fully subnetted") as caught:
        create(store, "more")
    assert caught.value.exit_code == 1
    chosen = parse_subnet("127.250.0.0/24")
    assert create(store, "chosen", subnet=chosen).subnet == chosen


def test_a_damaged_record_hides_no_other(store: NetworkStore, tmp_path: pathlib.Path) -> None:
    create(store, "back")
    (tmp_path / "store" / "networks" / f"{'0' * 64}.json").write_text("{")
    assert [item.name for item in store.all()][3:] == ["back"]
