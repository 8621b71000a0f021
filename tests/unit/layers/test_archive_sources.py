# SPDX-License-Identifier: MIT
"""The files of an image archive, by name."""

from __future__ import annotations

import gzip
import io
import os
from pathlib import Path

import pytest

from sandbox.errors import CorruptData
from sandbox.layers.archive_sources import (
    DirectorySource,
    Source,
    TarSource,
    read_document,
    tar_source,
)
from tests.harness import images

MEMBERS = [images.file("a", "one"), images.file("d/b", "two"), images.symlink("d/l", "../a")]


def read(source: Source, name: str) -> bytes:
    with source.open(name) as reader:
        return reader.read(1 << 20)


def test_a_tar_and_a_directory_give_the_same_files(tmp_path: Path) -> None:
    (tmp_path / "d").mkdir()
    (tmp_path / "a").write_text("one")
    (tmp_path / "d" / "b").write_text("two")
    (tmp_path / "d" / "l").symlink_to("../a")
    for source in (TarSource(io.BytesIO(images.tar(MEMBERS))), DirectorySource(tmp_path)):
        assert (source.has("a"), source.has("d"), source.has("none")) == (True, False, False)
        assert [read(source, name) for name in ("d/b", "./a", "d/l")] == [b"two", b"one", b"one"]
        with pytest.raises(CorruptData, match="missing"), source.open("none"):
            pass


@pytest.mark.parametrize("name", ["../x", "/etc/passwd", "a/../../x", "..", "a\0b"])
def test_names_cannot_lead_out_of_the_archive(tmp_path: Path, name: str) -> None:
    for source in (TarSource(io.BytesIO(images.tar(MEMBERS))), DirectorySource(tmp_path)):
        with pytest.raises(CorruptData, match="outside itself"):
            source.has(name)


def test_a_loop_of_links_leads_to_no_file() -> None:
    members = [images.symlink("a", "b"), images.symlink("b", "a")]
    assert not TarSource(io.BytesIO(images.tar(members))).has("a")


def test_a_truncated_tar_is_an_error() -> None:
    data = images.tar([images.file("a", "x" * 5000)])
    with pytest.raises(CorruptData):
        TarSource(io.BytesIO(data[:3000]))


@pytest.mark.parametrize("compressed", [False, True])
def test_a_pipe_or_a_compressed_tar_is_copied_to_a_file(
    tmp_path: Path, *, compressed: bool
) -> None:
    data = images.tar(MEMBERS)
    reader, writer = os.pipe()
    with open(writer, "wb") as pipe:
        pipe.write(gzip.compress(data) if compressed else data)
    with open(reader, "rb") as file, tar_source(file, tmp_path) as source:
        assert read(source, "d/b") == b"two"
    assert (tmp_path / "archive.tar").exists()


def test_two_members_may_be_read_alternately() -> None:
    source = TarSource(io.BytesIO(images.tar(MEMBERS)))
    with source.open("a") as one, source.open("d/b") as two:
        assert [one.read(1), two.read(1), one.read(9), two.read(9)] == [b"o", b"t", b"ne", b"wo"]


def test_a_document_that_is_too_large_is_refused() -> None:
    source = TarSource(io.BytesIO(images.tar(MEMBERS)))
    assert read_document(source, "a", limit=3) == b"one"
    with pytest.raises(CorruptData, match="larger than"):
        read_document(source, "a", limit=2)
