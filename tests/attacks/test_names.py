# SPDX-License-Identifier: MIT
"""The networks' name server answers a container about its own networks, and nobody else.

The same program succeeds in the container whose address it takes.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from sandbox.native.network import NetworkTable
from sandbox.runtime.network import members
from sandbox.store.layout import Layout
from tests.harness.attacks import INTERCEPTORS, Arena, successes
from tests.harness.network.members import address

pytestmark = pytest.mark.guest

PROGRAMS = ("names",)
ASKED = [
    "ask from the address of a container",
    "ask over TCP from the address of a container",
    "ask for the name of a network",
]


@pytest.fixture(scope="module")
def victim(fenced: Arena) -> Iterator[list[str]]:
    """A container on the network `back`: what the program must know to ask as this container."""
    engine = fenced.sandbox
    engine.ok("network", "create", "back")
    engine.ok("network", "create", "front")
    engine.ok("run", "-d", "--name", "victim", "--network", "back", "attack", "/idle")
    with NetworkTable.reading(members.directory_of(Layout(engine.store))) as table:
        place = table.name_server()
    assert place is not None
    yield [place[0], str(place[1]), address(engine, "victim", "back"), "victim"]
    engine.ok("rm", "-f", "victim")


@pytest.mark.parametrize("interceptor", INTERCEPTORS)
def test_a_container_of_another_network_gets_no_answer(
    fenced: Arena, victim: list[str], interceptor: str
) -> None:
    options = ("--name", "hostile", "--network", "front")
    found = fenced.attack("names", *victim, "hostile", interceptor=interceptor, options=options)
    assert set(ASKED) <= set(found)
    assert successes(found) == []


def test_the_container_itself_gets_all_answers(fenced: Arena, victim: list[str]) -> None:
    output = fenced.sandbox.ok("exec", "victim", "/names", *victim, "victim")
    assert [line for line in output.splitlines() if line.endswith(": done")] == [
        f"{what}: done" for what in ASKED
    ]


def test_the_directory_of_the_server_is_the_users_alone(fenced: Arena, victim: list[str]) -> None:
    status = os.stat(members.directory_of(Layout(fenced.sandbox.store)))
    assert (status.st_mode & 0o777, status.st_uid) == (0o700, os.getuid())
