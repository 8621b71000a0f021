# SPDX-License-Identifier: MIT
"""The interceptor that `auto` chooses, and the cache of that choice."""

from __future__ import annotations

import errno
import os

import pytest

from sandbox.errors import RuntimeFailed
from sandbox.native.probe import Probe
from sandbox.runtime import interceptor

GOOD = Probe(filter=0, trap=0, ptrace=0, address=0, exec_memory=0, landlock=4)


def found(**changes: int) -> Probe:
    names = ("filter", "trap", "ptrace", "address", "exec_memory", "landlock")
    return Probe(**{name: getattr(GOOD, name) for name in names} | changes)


@pytest.mark.parametrize(
    ("changes", "name", "rewrite", "steps"),
    [
        ({}, "rewrite", True, False),
        ({"exec_memory": errno.EACCES}, "trap", False, False),
        ({"trap": errno.EPERM}, "ptrace", True, False),
        ({"trap": errno.EPERM, "filter": errno.EPERM}, "ptrace", True, True),
        ({"trap": errno.EPERM, "exec_memory": errno.EACCES}, "ptrace", False, False),
    ],
)
def test_the_fastest_that_works_is_chosen(changes, name, rewrite, steps) -> None:
    choice = interceptor.decide(found(**changes))
    assert (choice.name, choice.rewrite, choice.steps) == (name, rewrite, steps)
    assert choice.traced == (name == "ptrace")
    assert choice.why


@pytest.mark.parametrize(
    "changes", [{"address": errno.EEXIST}, {"trap": errno.EPERM, "ptrace": errno.EPERM}]
)
def test_the_error_explains_why_no_interceptor_works(changes) -> None:
    with pytest.raises(RuntimeFailed, match="cannot"):
        interceptor.decide(found(**changes))


def test_the_choice_is_remembered_until_something_changes(tmp_path, monkeypatch) -> None:
    env = {"XDG_RUNTIME_DIR": str(tmp_path)}
    probes = []

    def probe() -> Probe:
        probes.append(1)
        return GOOD

    monkeypatch.setattr(interceptor, "probe", probe)
    first = interceptor.choose("auto", env)
    assert interceptor.choose("auto", env) == first
    assert len(probes) == 1
    monkeypatch.setattr(interceptor, "_key", lambda: "another kernel")
    interceptor.choose("auto", env)
    assert len(probes) == 2
    assert os.listdir(tmp_path / "sandbox") == ["interceptor"]


def test_a_damaged_cache_is_ignored(tmp_path, monkeypatch) -> None:
    env = {"XDG_RUNTIME_DIR": str(tmp_path)}
    monkeypatch.setattr(interceptor, "probe", lambda: GOOD)
    interceptor.choose("auto", env)
    (tmp_path / "sandbox" / "interceptor").write_bytes(b"{")
    assert interceptor.choose("auto", env).name == "rewrite"


def test_a_requested_interceptor_is_not_probed(monkeypatch) -> None:
    monkeypatch.setattr(interceptor, "probe", None)
    assert interceptor.choose("trap", {}).rewrite is False
    assert interceptor.choose("ptrace", {}).traced
