# SPDX-License-Identifier: MIT
"""Many containers on one network, without their processes."""

from __future__ import annotations

import os
import pathlib
import shutil
import time
from collections.abc import Iterator

import pytest

from sandbox.errors import Conflict, RuntimeFailed
from sandbox.models.addresses import parse_subnet
from sandbox.models.container import ContainerConfig
from sandbox.models.endpoints import Endpoint, NetworkConfig
from sandbox.models.network import Network, NetworkWish
from sandbox.models.record import replace
from sandbox.native.network import NetworkTable
from sandbox.runtime import rundir
from sandbox.runtime.network import etc_files, members, membership
from sandbox.runtime.network.names import keeping
from sandbox.runtime.network.names.name_book import NameBook
from sandbox.runtime.rundir import RunDir
from sandbox.store.layout import Layout
from sandbox.store.networks import NetworkStore

# No other process uses this subnet, since its addresses contain this process's pid.
SUBNET = parse_subnet(f"127.{16 + os.getpid() % 200}.{os.getpid() // 200 % 32 * 8}.0/21")


@pytest.fixture
def layout(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Layout:
    runtime = tmp_path / "run"
    runtime.mkdir(mode=0o700)
    monkeypatch.setattr(rundir, "candidates", lambda _env, _uid: iter([str(runtime)]))
    monkeypatch.setattr(keeping, "settle", lambda _register, _table: None)
    return Layout(tmp_path / "store")


@pytest.fixture
def back(layout: Layout) -> Network:
    store = NetworkStore(layout)
    with store.locked():
        wish = NetworkWish(name="back", subnet=SUBNET)
        return store.create(wish, network_id="f" * 64, created="")


@pytest.fixture
def guards() -> Iterator[list[object]]:
    kept: list[object] = []
    yield kept
    for item in kept:
        item.close()


def config(number: int, *endpoints: Endpoint) -> ContainerConfig:
    return ContainerConfig(
        id=f"{number:064x}",
        name=f"name-{number}",
        created="",
        image="host",
        image_id="",
        entrypoint=(),
        cmd=("true",),
        hostname=f"host-{number}",
        network=NetworkConfig(mode="back", endpoints=endpoints or (Endpoint("back"),)),
    )


def join(
    change: membership.Change, tmp_path: pathlib.Path, wanted: ContainerConfig, guards: list[object]
) -> members.Member:
    run_dir = RunDir(f"{tmp_path}/run-{wanted.name}")
    member, keep = change.join(wanted, run_dir, (), ())
    guards.append(keep)
    os.makedirs(run_dir.etc)
    hosts = etc_files.own_hosts(member, wanted.network, [], change.register)
    etc_files.write(run_dir.etc, {"hosts": hosts})
    return member


def known_to(layout: Layout, number: int, name: str) -> tuple[str, ...]:
    """Return the addresses of a name for the container with this number in its id."""
    found = members.live_members(layout)
    book = NameBook(found.values())
    asker = book.asker(found[f"{number:064x}"].address)
    assert asker is not None
    return book.addresses(asker, name)


def test_five_hundred_containers_on_one_network_know_each_other(
    layout: Layout, back: Network, tmp_path: pathlib.Path, guards: list[object], record_property
) -> None:
    times = []
    for number in range(500):
        begun = time.monotonic()
        with membership.changing(layout) as change:
            join(change, tmp_path, config(number), guards)
        times.append(time.monotonic() - begun)
    record_property("ms of the last joins", sum(times[-20:]) / 20 * 1000)
    for number in (0, 250, 499):
        assert all(known_to(layout, reader, f"name-{number}") for reader in (0, 499))
    found = members.live_members(layout)
    assert len({member.address for member in found.values()}) == 500
    assert len({member.number for member in found.values()}) == 500
    with membership.changing(layout) as change:
        change.leave(found[config(250).id])
    assert not known_to(layout, 0, "name-250")
    with NetworkTable.reading(members.directory_of(layout)) as table:
        assert len(table.endpoints()) == 499 + 1  # and the gateway


def test_the_address_of_an_ended_container_is_reused(
    layout: Layout, back: Network, tmp_path: pathlib.Path, guards: list[object]
) -> None:
    with membership.changing(layout) as change:
        first = join(change, tmp_path, config(1), guards)
        stays = join(change, tmp_path, config(2), guards)
        change.register.put(replace(first, pid_start=1))
    guards.pop(0).close()
    assert known_to(layout, 2, "name-1") == (first.address,)
    wanted = config(3, Endpoint("back", address=first.address))
    with membership.changing(layout) as change:
        third = join(change, tmp_path, wanted, guards)
        assert {member.id for member in change.members(back)} == {stays.id, third.id}
    assert third.address == first.address
    assert known_to(layout, 2, "name-3") == (first.address,)
    assert known_to(layout, 2, "name-2") == (stays.address,)
    assert not known_to(layout, 2, "name-1")


def test_an_interrupted_registration_does_not_block_the_next(
    layout: Layout, back: Network, tmp_path: pathlib.Path, guards: list[object]
) -> None:
    with membership.changing(layout) as change:
        first = join(change, tmp_path, config(1), guards)
        change.register.drop(first)  # as if killed before the registration
        change.register.put(replace(first, id="x", number=first.number + 1000))
    guards.pop().close()
    with membership.changing(layout) as change:
        change.register.drop(change.register.get("x"))
        again = join(change, tmp_path, config(2), guards)
    assert again.address == first.address
    with NetworkTable.reading(members.directory_of(layout)) as table:
        assert list(table.containers()) == [again.number]


def test_when_the_last_member_leaves_no_files_remain(
    layout: Layout, back: Network, tmp_path: pathlib.Path, guards: list[object]
) -> None:
    with membership.changing(layout) as change:
        member = join(change, tmp_path, config(1), guards)
    assert os.path.isdir(members.directory_of(layout))
    with membership.changing(layout) as change:
        change.leave(member)
    assert not os.path.exists(members.directory_of(layout))


def test_a_deleted_store_is_not_created_again(
    layout: Layout, back: Network, tmp_path: pathlib.Path
) -> None:
    with membership.joined(config(1), layout, RunDir(f"{tmp_path}/one")) as member:
        assert member.number
        shutil.rmtree(layout.root)
    assert not layout.root.exists()
    assert not os.path.exists(members.directory_of(layout))


def test_joining_a_network_twice_or_an_unknown_network_is_refused(
    layout: Layout, back: Network, tmp_path: pathlib.Path, guards: list[object]
) -> None:
    with membership.changing(layout) as change:
        member = join(change, tmp_path, config(1), guards)
        with pytest.raises(Conflict, match="already exists in network back"):
            change.connect(member, Endpoint("back"))
        other = replace(config(2), network=NetworkConfig(mode="container:nobody"))
        with pytest.raises(RuntimeFailed, match="cannot join network of a non running container"):
            change.join(other, RunDir("/x"), (), ())
