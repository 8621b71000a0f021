# SPDX-License-Identifier: MIT
from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.errors import CorruptData
from sandbox.models.digest import digest_of
from sandbox.models.reference import parse_reference
from sandbox.store.layout import Layout
from sandbox.store.tags import Tags, read_tags, write_tags

ONE, TWO = digest_of(b"1"), digest_of(b"2")


def test_the_table_of_tags_is_written_and_read_back(tmp_path: Path) -> None:
    layout = Layout(tmp_path)
    layout.prepare()
    assert read_tags(layout) == Tags()
    tags = Tags({"docker.io/library/a:1": ONE}, {f"docker.io/library/a@{TWO}": ONE})
    write_tags(layout, tags)
    assert read_tags(layout) == tags
    layout.tags.write_text("{")
    with pytest.raises(CorruptData):
        read_tags(layout)


def test_a_name_without_a_tag_means_latest() -> None:
    tags = Tags({"docker.io/library/a:latest": ONE, "docker.io/library/a:2": TWO})
    assert tags.find(parse_reference("a")) == ONE
    assert tags.find(parse_reference("a:2")) == TWO
    assert tags.find(parse_reference("b")) is None


def test_a_digest_wins_over_a_tag() -> None:
    tags = Tags({"docker.io/library/a:1": ONE}, {f"docker.io/library/a@{ONE}": TWO})
    assert tags.find(parse_reference(f"a:1@{ONE}")) == TWO
