# SPDX-License-Identifier: MIT
from __future__ import annotations

import pytest

from sandbox.errors import UsageError
from sandbox.models.digest import digest_of
from sandbox.models.image import Image
from sandbox.models.image_filters import parse_filters, select_images
from sandbox.models.oci import RunConfig


def image(name: str, year: int, *tags: str, **labels: str) -> Image:
    return Image(
        id=digest_of(name.encode()),
        config=RunConfig(labels=labels or None),
        architecture="amd64",
        os="linux",
        variant="",
        author="",
        created=f"{year}-01-01T00:00:00Z",
        layers=(),
        history=(),
        repo_tags=tuple(f"docker.io/{tag}" for tag in tags),
    )


IMAGES = [
    image("new", 2023, "library/app:2", "me/app:2", a="1"),
    image("mid", 2022),
    image("old", 2021, "library/base:1", a="2", b="x"),
]


def chosen(*filters: str) -> list[int]:
    by_name = {"app:2": IMAGES[0], "mid": IMAGES[1], "base:1": IMAGES[2]}
    found = select_images(IMAGES, parse_filters(filters), find=by_name.__getitem__)
    ids = [item.id for item in IMAGES]
    return [ids.index(item.id) for item in found]


@pytest.mark.parametrize(
    ("filters", "expected"),
    [
        ([], [0, 1, 2]),
        (["dangling=true"], [1]),
        (["dangling=false"], [0, 2]),
        (["label=a"], [0, 2]),
        (["label=a=2"], [2]),
        (["label=a", "label=b"], [2]),
        (["before=app:2"], [1, 2]),
        (["since=base:1"], [0, 1]),
        (["until=2022-06-01T00:00:00Z"], [1, 2]),
        (["reference=app"], [0]),
        (["reference=*"], [0, 2]),
        (["reference=*/*:2"], [0]),
        (["reference=app", "reference=base"], [0, 2]),
        (["reference=nothing"], []),
        (["reference=docker.io/library/app"], [0]),
    ],
)
def test_filters_choose_the_same_images_as_dockers(filters: list[str], expected: list[int]) -> None:
    assert chosen(*filters) == expected


def test_a_reference_filter_only_keeps_matching_names() -> None:
    found = select_images(IMAGES, parse_filters(["reference=me/*"]), find=lambda _: IMAGES[0])
    assert found[0].familiar_tags == ["me/app:2"]


@pytest.mark.parametrize("text", ["x", "nope=1", "dangling"])
def test_an_unknown_filter_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        parse_filters([text])
