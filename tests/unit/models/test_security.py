# SPDX-License-Identifier: MIT
"""Docker's security options: capabilities, and --security-opt."""

from __future__ import annotations

import pathlib
import re

import pytest

from sandbox.errors import UsageError
from sandbox.models.security import (
    ALL_CAPABILITIES,
    CAPABILITIES,
    DEFAULT_CAPABILITIES,
    Namespaces,
    Security,
    capability_names,
    checked,
    chosen_capabilities,
    parse_options,
    powerless,
)


def test_the_names_of_capabilities_stand_in_the_kernel_s_order() -> None:
    header = pathlib.Path("/usr/include/linux/capability.h").read_text()
    numbers = {name: int(number) for name, number in re.findall(r"CAP_(\w+)\s+(\d+)", header)}
    for number, name in enumerate(CAPABILITIES):
        assert numbers.get(name, number) == number, name


def test_a_container_has_docker_s_default_capabilities() -> None:
    assert Security().capabilities == DEFAULT_CAPABILITIES
    assert len(capability_names(DEFAULT_CAPABILITIES)) == 14
    assert "CAP_SYS_ADMIN" not in capability_names(DEFAULT_CAPABILITIES)


@pytest.mark.parametrize(
    ("added", "dropped", "wanted"),
    [
        ([], ["ALL"], []),
        (["chown"], ["all"], ["CAP_CHOWN"]),
        (
            ["ALL"],
            ["SYS_ADMIN"],
            [n for n in capability_names(ALL_CAPABILITIES) if "_ADMIN" not in n],
        ),
        (["CAP_NET_ADMIN"], [], [*capability_names(DEFAULT_CAPABILITIES), "CAP_NET_ADMIN"]),
        (["chown"], ["chown"], capability_names(DEFAULT_CAPABILITIES)),
    ],
)
def test_capabilities_are_added_and_dropped_as_docker_does(
    added: list[str], dropped: list[str], wanted: list[str]
) -> None:
    add, drop = chosen_capabilities(added, dropped)
    found = capability_names(Security(cap_add=add, cap_drop=drop).capabilities)
    if "SYS_ADMIN" in dropped:
        assert set(capability_names(ALL_CAPABILITIES)) - set(found) == {"CAP_SYS_ADMIN"}
    else:
        assert sorted(found) == sorted(wanted)


def test_a_privileged_container_has_all_capabilities_and_no_seccomp_profile() -> None:
    security = Security(privileged=True, cap_drop=("ALL",))
    assert security.capabilities == ALL_CAPABILITIES
    assert security.profile == "unconfined"
    assert Security(privileged=True, seccomp="{}").profile == "{}"


def test_an_unknown_capability_is_refused_in_docker_s_words() -> None:
    with pytest.raises(UsageError, match='invalid CapDrop: unknown capability: "CAP_FLY"'):
        chosen_capabilities([], ["fly"])


def test_added_capabilities_that_only_show_are_named() -> None:
    assert powerless(Security(cap_add=("ALL",))) == ["ALL"]
    assert powerless(Security(cap_add=("CAP_SYS_PTRACE", "CAP_MKNOD"))) == []


@pytest.mark.parametrize(
    ("text", "fields", "idle"),
    [
        ("no-new-privileges", {"no_new_privileges": True}, []),
        ("no-new-privileges:true", {"no_new_privileges": True}, []),
        ("no-new-privileges=false", {"no_new_privileges": False}, []),
        ("seccomp=unconfined", {"seccomp": "unconfined"}, []),
        ("seccomp=builtin", {"seccomp": "builtin"}, []),
        ("seccomp={}", {"seccomp": "{}"}, []),
        ("apparmor=unconfined", {}, []),
        ("apparmor:unconfined", {}, []),
        ("label=disable", {}, []),
        ("label:disable", {}, []),
        ("require-confinement", {"require_confinement": True}, []),
        ("systempaths=unconfined", {}, ["--security-opt systempaths=unconfined"]),
    ],
)
def test_security_options_are_taken_as_docker_takes_them(
    text: str, fields: dict[str, object], idle: list[str]
) -> None:
    assert parse_options([text]) == (fields, idle)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("apparmor=docker-default", "there is no AppArmor profile to take"),
        ("label=type:svirt_t", "there are no SELinux labels to set"),
        ("no-new-privileges=maybe", 'invalid --security-opt: "no-new-privileges=maybe"'),
        ("seccomp", 'invalid --security-opt: "seccomp"'),
        ("seccomp=", 'invalid --security-opt: "seccomp="'),
        ("colour=red", 'invalid --security-opt: "colour=red"'),
        ("", 'invalid --security-opt: ""'),
    ],
)
def test_other_security_options_are_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=re.escape(words)):
        parse_options([text])


def test_the_record_survives_json_and_older_containers_have_none() -> None:
    security = Security(cap_add=("CAP_KILL",), options=("label=disable",), no_new_privileges=True)
    assert Security.from_json(security.to_json()) == security
    assert Security.from_json(None) == Security()


def test_without_a_choice_a_container_has_objects_of_its_own() -> None:
    assert checked("", "") == Namespaces() == Namespaces.from_json(None)
    assert Namespaces().ipc == "private"


@pytest.mark.parametrize("mode", ["none", "private", "shareable", "host", "container:db"])
def test_a_mode_survives_its_record(mode: str) -> None:
    modes = checked(mode, "host")
    assert Namespaces.from_json(modes.to_json()) == modes
    assert modes.ipc_donor == ("db" if mode == "container:db" else "")


@pytest.mark.parametrize(
    ("ipc", "uts", "hostname", "words"),
    [
        ("nonsense", "", None, "invalid IPC mode: nonsense"),
        ("container:", "", None, "invalid IPC mode: container:"),
        ("", "private", None, "invalid UTS mode: private"),
        ("", "host", "name", "conflicting options: hostname and the UTS mode"),
    ],
)
def test_other_modes_are_refused_in_dockers_words(
    ipc: str, uts: str, hostname: str | None, words: str
) -> None:
    with pytest.raises(UsageError) as caught:
        checked(ipc, uts, hostname=hostname)
    assert caught.value.message == words
