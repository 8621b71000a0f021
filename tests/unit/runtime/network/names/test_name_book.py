# SPDX-License-Identifier: MIT
from __future__ import annotations

from sandbox.runtime.network.members import LiveEndpoint, Member
from sandbox.runtime.network.names.name_book import NameBook


def at(address: str, network: str = "back", **more: object) -> LiveEndpoint:
    given = {"number": 2, "name": network, "prefix": 24, "gateway": "127.5.0.1"}
    return LiveEndpoint(network=f"id-{network}", address=address, **{**given, **more})


def member(letter: str, *endpoints: LiveEndpoint, **more: object) -> Member:
    given: dict[str, object] = {
        "id": letter * 64,
        "name": f"name-{letter}",
        "hostname": f"host-{letter}",
        "number": ord(letter),
        "address": endpoints[0].address if endpoints else "127.9.0.9",
        "pid": 1,
        "pid_start": 1,
        "run_dir": f"/run/{letter}",
        "endpoints": endpoints,
    }
    return Member(**{**given, **more})


ONE = member("a", at("127.5.0.2"), at("127.6.0.2", "front"))
TWO = member("b", at("127.5.0.3", aliases=("db", "store.example")))
THREE = member("c", at("127.5.0.4", aliases=("DB",)), at("127.7.0.4", "far", aliases=("db",)))
STRANGER = member("d", at("127.7.0.5", "far", aliases=("secret",)))


def addresses(name: str, *members: Member, reader: Member = ONE) -> tuple[str, ...]:
    book = NameBook((ONE, TWO, THREE, STRANGER, *members))
    asker = book.asker(reader.address)
    assert asker is not None
    return book.addresses(asker, name)


def test_a_container_is_known_by_name_id_host_name_and_alias() -> None:
    for name in ("name-b", "b" * 12, "b" * 64, "host-b", "NAME-B", "store.example"):
        assert addresses(name) == ("127.5.0.3",), name
    assert addresses("name-a") == ("127.5.0.2",)


def test_containers_with_one_alias_are_found_together() -> None:
    assert addresses("db") == ("127.5.0.3", "127.5.0.4")


def test_a_name_may_have_its_network_behind_it() -> None:
    assert addresses("name-b.back") == ("127.5.0.3",)
    assert addresses("store.example.back") == ("127.5.0.3",)
    assert addresses("name-a.front") == ("127.6.0.2",)
    assert addresses("name-b.front") == ()
    dotted = member("e", at("127.8.0.2", "a.b"))
    assert addresses("name-e.a.b", dotted, reader=dotted) == ("127.8.0.2",)


def test_names_of_networks_that_a_container_is_not_on_are_unknown() -> None:
    for name in ("name-d", "secret", "secret.far", "name-d.far"):
        assert addresses(name) == ()
    assert addresses("secret", reader=THREE) == ("127.7.0.5",)


def test_only_its_own_container_knows_a_link() -> None:
    linked = member("e", at("127.5.0.6", links=((TWO.id, "One"), ("name-c", "later"))))
    assert addresses("one", linked, reader=linked) == ("127.5.0.3",)
    assert addresses("later", linked, reader=linked) == ("127.5.0.4",)
    assert addresses("one", linked) == ()


def test_the_default_network_has_no_names() -> None:
    plain = member("e", at("127.1.0.2", "bridge", has_names=False))
    other = member("f", at("127.1.0.3", "bridge", has_names=False))
    assert addresses("name-f", plain, other, reader=plain) == ()


def test_a_container_that_shares_a_network_asks_as_its_owner_does() -> None:
    owner = member("e", at("127.5.0.6"), dns=("192.0.2.1",))
    sharing = member("f", *owner.endpoints, number=owner.number, shares=owner.id)
    for order in ((owner, sharing), (sharing, owner)):
        book = NameBook((TWO, *order))
        asker = book.asker("127.5.0.6")
        assert asker is not None
        assert (asker.dns, set(asker.run_dirs)) == (("192.0.2.1",), {"/run/e", "/run/f"})
        assert book.marked("f" * 12) == book.marked("e" * 12) == asker
        assert book.addresses(asker, "name-f") == ()


def test_an_address_has_the_name_of_its_container_and_network() -> None:
    book = NameBook((ONE, TWO, THREE, STRANGER))
    asker = book.asker("127.5.0.2")
    assert asker is not None
    assert book.name_of(asker, "127.5.0.3") == "name-b.back"
    assert book.name_of(asker, "127.6.0.2") == "name-a.front"
    assert book.name_of(asker, "127.7.0.5") == ""
    assert book.place("127.7.0.5") == (ord("d"), "127.5.0.1")
    assert book.place("127.7.0.6") is None
    assert book.asker("127.7.0.6") is None
