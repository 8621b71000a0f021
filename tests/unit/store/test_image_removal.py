# SPDX-License-Identifier: MIT
from __future__ import annotations

import pytest

from sandbox.errors import Conflict
from sandbox.models.digest import digest_of
from sandbox.models.image import Image
from sandbox.models.oci import RunConfig
from sandbox.store.image_removal import ImageUser, may_go, plan_removal

DIGEST = digest_of(b"manifest")
ID = digest_of(b"image")
RUNNING = ImageUser("a" * 64, is_running=True)
STOPPED = ImageUser("b" * 64, is_running=False)


def image(*tags: str, digests: tuple[str, ...] = ()) -> Image:
    return Image(
        id=ID,
        config=RunConfig(),
        architecture="",
        os="",
        variant="",
        author="",
        created=None,
        layers=(),
        history=(),
        repo_tags=tuple(f"docker.io/library/{tag}" for tag in tags),
        repo_digests=tuple(f"docker.io/library/{name}" for name in digests),
    )


def plan(of: Image, name: str, *, force: bool = False) -> tuple[list[str], bool]:
    found = plan_removal(of, name, force=force)
    return [
        item.removeprefix("docker.io/library/") for item in found.references
    ], found.removes_image


def test_one_of_several_names_is_removed_alone() -> None:
    assert plan(image("a:1", "a:2"), "a:1") == (["a:1"], False)


def test_the_last_name_is_removed_with_the_image() -> None:
    assert plan(image("a:1"), "a:1") == (["a:1"], True)


def test_digests_are_removed_with_the_last_tag_of_their_repository() -> None:
    both = (f"a@{DIGEST}", f"b@{DIGEST}")
    assert plan(image("a:1", digests=both), "a:1") == (["a:1", f"a@{DIGEST}"], False)
    assert plan(image("a:1", "a:2", digests=both[:1]), "a:1") == (["a:1"], False)


def test_removal_by_id_removes_all_names_of_one_repository() -> None:
    assert plan(image("a:1", "a:2"), ID[7:15]) == (["a:1", "a:2"], True)
    assert plan(image(), ID) == ([], True)


def test_removal_by_id_from_several_repositories_needs_force() -> None:
    with pytest.raises(Conflict, match="must be forced"):
        plan(image("a:1", "b:1"), ID)
    assert plan(image("a:1", "b:1"), ID, force=True) == (["a:1", "b:1"], True)


def test_an_unused_image_may_be_removed() -> None:
    assert may_go(image(), [], "x", by_name=True, force=False)


@pytest.mark.parametrize("by_name", [True, False])
@pytest.mark.parametrize("users", [[STOPPED], [RUNNING]])
def test_an_image_in_use_is_kept_unless_forced(*, by_name: bool, users: list[ImageUser]) -> None:
    with pytest.raises(Conflict):
        may_go(image(), users, "x", by_name=by_name, force=False)


def test_force_removes_the_name_but_keeps_the_files_of_a_container() -> None:
    assert not may_go(image(), [STOPPED], "x", by_name=True, force=True)
    assert not may_go(image(), [RUNNING], "x", by_name=True, force=True)
    assert not may_go(image(), [STOPPED], "x", by_name=False, force=True)


def test_the_image_of_a_running_container_cannot_be_removed_by_id() -> None:
    with pytest.raises(Conflict, match=r"cannot be forced.*running container aaaaaaaaaaaa"):
        may_go(image(), [STOPPED, RUNNING], "x", by_name=False, force=True)
