# SPDX-License-Identifier: MIT
"""Names lead to containers quickly, and a wrong or missing link does no harm."""

from __future__ import annotations

import os
import pathlib

import pytest

from sandbox.errors import Conflict, ContainerNotFound
from sandbox.models.container import ContainerConfig
from sandbox.models.record import replace
from sandbox.store.containers import ContainerStore
from sandbox.store.layout import Layout
from sandbox.store.name_links import NameLinks


class Reads:
    """A store of containers that counts the records that it reads for names."""

    def __init__(self, layout: Layout) -> None:
        self.store = ContainerStore(layout)
        self.count = 0
        read = self.store._name_of

        def counted(container_id: str) -> str | None:
            self.count += 1
            return read(container_id)

        self.store._name_of = counted  # type: ignore[method-assign]


@pytest.fixture
def layout(tmp_path: pathlib.Path) -> Layout:
    made = Layout(tmp_path / "store")
    made.prepare()
    return made


def config(name: str) -> ContainerConfig:
    return ContainerConfig(
        id=os.urandom(32).hex(),
        name=name,
        created="2024-01-01T00:00:00Z",
        image="host",
        image_id="sha256:" + "0" * 64,
        entrypoint=(),
        cmd=("true",),
        env=(),
    )


def create(store: ContainerStore, name: str) -> str:
    return store.create(lambda _: config(name)).config.id


def test_a_new_container_reads_no_other_one(layout: Layout) -> None:
    reads = Reads(layout)
    for number in range(20):
        create(reads.store, f"c{number}")
    assert reads.count == 0
    assert reads.store.find("c7").config.name == "c7"
    assert reads.count == 0


def test_a_name_is_taken_until_its_container_is_gone(layout: Layout) -> None:
    store = ContainerStore(layout)
    identity = create(store, "web")
    with pytest.raises(Conflict, match=identity):
        create(store, "web")
    store.remove(store.find("web"))
    assert os.listdir(layout.names) == []
    create(store, "web")


def test_a_renamed_container_is_found_by_its_new_name_only(layout: Layout) -> None:
    store = ContainerStore(layout)
    create(store, "old")
    store.change(store.find("old"), lambda found, _: replace(found, name="new"))
    assert store.find("new").config.name == "new"
    with pytest.raises(ContainerNotFound):
        store.find("old")
    create(store, "old")


def test_containers_without_links_are_found_and_get_links(layout: Layout) -> None:
    reads = Reads(layout)
    for name in ("a1", "b1"):
        create(reads.store, name)
        os.unlink(layout.names / name)
    assert reads.store.find("b1").config.name == "b1"
    with pytest.raises(Conflict):
        create(reads.store, "a1")
    assert sorted(os.listdir(layout.names)) == ["a1", "b1"]


def test_links_to_containers_that_are_gone_are_dropped(layout: Layout) -> None:
    store = ContainerStore(layout)
    NameLinks(layout).add("ghost", "0" * 64)
    with pytest.raises(ContainerNotFound):
        store.find("ghost")
    create(store, "other")
    assert os.listdir(layout.names) == ["other"]
    create(store, "ghost")


def test_a_link_to_another_container_is_not_believed(layout: Layout) -> None:
    store = ContainerStore(layout)
    identity = create(store, "right")
    links = NameLinks(layout)
    links.drop("right", identity)
    links.add("wrong", identity)
    with pytest.raises(ContainerNotFound):
        store.find("wrong")
    assert store.find(identity[:12]).config.name == "right"


@pytest.mark.parametrize("name", ["x" * 300, "../containers", "a/b", ".", ""])
def test_a_name_that_cannot_be_a_file_has_no_link(layout: Layout, name: str) -> None:
    links = NameLinks(layout)
    assert links.find(name) is None
    assert links.all(["0" * 64], lambda _: "x" * 300, heal=True) == {"x" * 300: "0" * 64}


def test_a_long_name_works_without_a_link(layout: Layout) -> None:
    store = ContainerStore(layout)
    create(store, "x" * 300)
    assert store.find("x" * 300).config.name == "x" * 300
