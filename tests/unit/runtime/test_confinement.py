# SPDX-License-Identifier: MIT
"""What is said about the kernel's fence, and when a container does not start without it."""

from __future__ import annotations

import errno
import pathlib

import pytest

from sandbox.errors import RuntimeFailed
from sandbox.models.security import Security
from sandbox.native import probe
from sandbox.runtime import confinement
from sandbox.runtime.confinement import Fence, check, covered, danger, fence, first_warning
from sandbox.runtime.interceptor import Choice
from sandbox.store.layout import Layout

STANDS = Fence(7, seccomp=True)
STEPS = Choice("ptrace", "", traced=True, steps=True)


@pytest.fixture(params=[errno.ENOSYS, errno.EPERM, errno.EOPNOTSUPP])
def no_landlock(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> int:
    monkeypatch.setattr(probe, "landlock", lambda: -request.param)
    number: int = request.param
    return number


def test_a_missing_landlock_is_told_with_its_reason(no_landlock: int) -> None:
    found = fence({})
    assert (found.stands, found.landlock) == (False, 0)
    refused = "refused here" if no_landlock == errno.EPERM else "no Landlock"
    assert refused in found.problem
    assert "docs/threat-model.md" in danger(found)


def test_a_container_without_filters_is_not_confined(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "landlock", lambda: 7)
    assert fence({}, Choice("trap", "")) == STANDS
    found = fence({}, STEPS)
    assert (found.landlock, found.seccomp, found.stands) == (7, False, False)
    assert danger(STANDS) == ""


def test_the_switch_of_the_attack_tests_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "landlock", lambda: 7)
    assert confinement.leaves_out({confinement.UNFENCED: "filter"}, "filter")
    assert not confinement.leaves_out({confinement.UNFENCED: "filter"}, "landlock")
    found = fence({confinement.UNFENCED: "1"})
    assert (found.landlock, found.problem) == (0, "SANDBOX_TEST_UNFENCED is set")


def test_what_landlock_covers_grows_with_its_abi() -> None:
    assert covered(0) == []
    assert covered(1) == ["files"]
    assert covered(7)[:3] == ["files", "truncation", "TCP connections"]


def test_a_container_that_must_be_confined_does_not_start_without_the_fence(
    no_landlock: int, tmp_path: pathlib.Path
) -> None:
    own, other = Layout(tmp_path / "own"), Layout(tmp_path / "other")
    check(Security(), (own, other), fence({}))
    with pytest.raises(RuntimeFailed, match="confinement is required and does not stand"):
        check(Security(require_confinement=True), (own,), fence({}))
    other.root.mkdir()
    other.settings.write_text("require-confinement = true")
    with pytest.raises(RuntimeFailed, match="confinement is required"):
        check(Security(), (own, other), fence({}))
    check(Security(require_confinement=True), (own, other), STANDS)


def test_the_user_is_warned_once_for_each_store(no_landlock: int, tmp_path: pathlib.Path) -> None:
    first, second = Layout(tmp_path / "a" / "b"), Layout(tmp_path / "c")
    assert "Landlock" in first_warning(first, {})
    assert first_warning(first, {}) == ""
    assert "Landlock" in first_warning(second, {})


def test_nothing_is_said_or_written_where_the_fence_stands(
    monkeypatch: pytest.MonkeyPatch, tmp_path: pathlib.Path
) -> None:
    monkeypatch.setattr(probe, "landlock", lambda: 1)
    layout = Layout(tmp_path / "store")
    assert first_warning(layout, {}) == ""
    assert not layout.root.exists()
