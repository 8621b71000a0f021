# SPDX-License-Identifier: MIT
"""From the flags of ``build`` to a request."""

from __future__ import annotations

import pytest

from sandbox.cli.images.build import (
    _arguments,
    _check_attestations,
    _epoch,
    _only_checks,
    _platform,
    _volume,
)
from sandbox.errors import SandboxError, Unsupported, UsageError


def test_an_argument_without_a_value_is_the_users(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MINE", "x")
    monkeypatch.delenv("ABSENT", raising=False)
    assert _arguments(("A=1=2", "MINE", "ABSENT", "EMPTY=")) == {
        "A": "1=2",
        "MINE": "x",
        "EMPTY": "",
    }


def test_the_time_of_a_build_can_be_fixed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOURCE_DATE_EPOCH", raising=False)
    assert _epoch(()) is None
    assert _epoch(("SOURCE_DATE_EPOCH=7",)) == 7
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "8")
    assert (_epoch(()), _epoch(("SOURCE_DATE_EPOCH=7",))) == (8, 7)
    with pytest.raises(UsageError, match="invalid SOURCE_DATE_EPOCH"):
        _epoch(("SOURCE_DATE_EPOCH=yesterday",))


def test_one_platform_is_built_at_a_time() -> None:
    assert _platform(None) is None
    assert _platform("linux/amd64") == "linux/amd64"
    with pytest.raises(Unsupported, match="one by one"):
        _platform("linux/amd64,linux/arm64")


def test_attestations_may_be_turned_off_but_not_on() -> None:
    off = {"provenance": "false", "sbom": None, "attest": ("type=sbom,disabled=true",)}
    _check_attestations(off)
    for name, value in (("provenance", "mode=max"), ("sbom", "1"), ("attest", ("type=sbom",))):
        with pytest.raises(Unsupported, match=f"--{name} is not supported"):
            _check_attestations(off | {name: value})


def test_a_build_can_be_a_check() -> None:
    assert not _only_checks({"call": "build", "check": False})
    assert _only_checks({"call": "lint", "check": False})
    assert _only_checks({"call": "build", "check": True})
    with pytest.raises(Unsupported, match="--call=outline"):
        _only_checks({"call": "outline", "check": False})


def test_only_directories_are_bound_into_a_build() -> None:
    assert _volume("/a:/b:ro").target == "/b"
    with pytest.raises(SandboxError, match="directories of the host only"):
        _volume("named:/b")
