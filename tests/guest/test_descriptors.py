# SPDX-License-Identifier: MIT
"""A descriptor names the file that was opened last under its number.

Another thread or process may have closed the file that had the number before.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.harness import images
from tests.harness.cbuild import BUILDS

if TYPE_CHECKING:
    import pathlib

    from tests.harness.oracle import Oracle

pytestmark = pytest.mark.guest

GROUPS = ("reuse", "put_over", "ranges", "children", "threads", "changes", "arrives", "storm")
FILES = {"a": "one", "bb": "22", "d/x": "in a folder"}


@pytest.fixture
def image_oracle(oracle: Oracle, tmp_path: pathlib.Path) -> Oracle:
    """Return an oracle with the same few files here and in an image.

    The sandbox remembers only descriptors of an image's files.
    """
    folder = str(oracle.inside_folder).lstrip("/")
    members = [images.directory(f"{folder}/d")]
    (oracle.native_folder / "d").mkdir(mode=0o755)
    for name, text in FILES.items():
        (oracle.native_folder / name).write_text(text)
        (oracle.native_folder / name).chmod(0o644)
        members.append(images.file(f"{folder}/{name}", text))
    archive = images.rootfs_archive(members, tmp_path / "rootfs.tar")
    oracle.sandbox.ok("import", str(archive), "files")
    return dataclasses.replace(oracle, image="files")


@pytest.mark.parametrize("interceptor", ["rewrite", "trap"])
@pytest.mark.parametrize("group", GROUPS)
def test_descriptors_of_an_image_name_the_file_that_was_opened_last(
    image_oracle: Oracle, guest_program: Callable[..., pathlib.Path], group: str, interceptor: str
) -> None:
    program = guest_program("descriptors", *BUILDS["static"])
    image_oracle.same(
        [program, group], "--interceptor", interceptor, "-v", f"{program}:{program}:ro"
    )
