# SPDX-License-Identifier: MIT
"""What the sandbox remembers of a directory is forgotten when the directory changes."""

from __future__ import annotations

import pathlib
import re
import shutil
import subprocess
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from tests.harness import images

if TYPE_CHECKING:
    from tests.harness.command import Sandbox

pytestmark = pytest.mark.guest

LOWER = ("lower/one", "lower/two", "lower/three", "a/name", "b/name", "b/sub/name")
FOLDERS = ("lower", "lower/below", "a", "b", "b/sub")
PROGRAMS = ("directory_cache", "cwd_cache")
LOOK_TWICE = """
mkdir /inside; echo inside >/inside/f
cd /mnt
read -r line <d/f; echo "$line"
read -r line <d/sub/f; echo "$line"
read -r wait
read -r line <d/f; echo "$line"
read -r line </mnt/d/f; echo "$line"
[ -e d/sub/f ] || echo no sub
[ -e /mnt/d/sub/f ] || echo no sub
"""


@pytest.fixture
def image(
    sandbox: Sandbox, guest_program: Callable[..., pathlib.Path], tmp_path: pathlib.Path
) -> str:
    """Return the name of an image with the programs and the folder that they expect."""
    members = [
        images.directory("work"),
        *(images.directory(f"work/{name}") for name in FOLDERS),
        *(images.file(f"work/{name}", name) for name in LOWER),
    ]
    for name in PROGRAMS:
        program = guest_program(name, "gcc", "-static")
        members.append(images.file(name, program.read_bytes(), mode=0o755))
    archive = tmp_path / "image.tar"
    archive.write_bytes(images.tar(members))
    sandbox.ok("import", str(archive), "cache")
    return "cache"


@pytest.mark.parametrize("name", PROGRAMS)
def test_remembered_directories_give_the_same_results_as_on_the_host(
    sandbox: Sandbox,
    image: str,
    guest_program: Callable[..., pathlib.Path],
    tmp_path: pathlib.Path,
    name: str,
) -> None:
    folder = tmp_path / "work"
    for below in FOLDERS:
        (folder / below).mkdir(parents=True)
    for below in LOWER:
        (folder / below).write_text(below)
    program = guest_program(name, "gcc", "-static")
    done = subprocess.run(
        [program, folder], capture_output=True, text=True, timeout=100, check=True
    )
    assert "warm" not in done.stdout
    inside = sandbox.ok("run", "--rm", image, f"/{name}", "/work", timeout=120)
    assert inside.splitlines() == done.stdout.splitlines()


def test_a_name_in_a_known_directory_needs_one_kernel_call(
    sandbox: Sandbox, image: str, tmp_path: pathlib.Path
) -> None:
    strace = shutil.which("strace")
    if strace is None:
        pytest.skip("needs strace")
    log = tmp_path / "log"
    words = [strace, "-f", "-o", str(log), "-e", "trace=%file"]
    run = ["run", "--rm", "--interceptor", "trap"]
    subprocess.run(
        [*words, *sandbox.argv(*run, image, "/directory_cache", "/work")],
        env=sandbox.environment(),
        check=True,
        timeout=100,
        stdout=subprocess.DEVNULL,
    )
    calls = [line for line in log.read_text(errors="replace").splitlines() if "/upper/" in line]
    names = [re.search(r"(\w+)\(.*?/upper/work/new/(warm(?:er)?)\"", line) for line in calls]
    seen = [(found[1], found[2]) for found in names if found]
    known = [("openat", "warm"), ("renameat2", "warm"), ("unlinkat", "warmer")]
    assert any(seen[at : at + 6] == known * 2 for at in range(len(seen)))


@pytest.mark.parametrize("interceptor", ["rewrite", "trap"])
def test_a_directory_of_a_bind_that_the_machine_replaces_by_a_link_leads_inside(
    sandbox: Sandbox, tmp_path: pathlib.Path, interceptor: str
) -> None:
    sub = tmp_path / "d" / "sub"
    sub.mkdir(parents=True)
    (sub.parent / "f").write_text("first\n")
    (sub / "f").write_text("below\n")
    words = ["run", "--rm", "-i", "--interceptor", interceptor, "-v", f"{tmp_path}:/mnt"]
    with subprocess.Popen(
        sandbox.argv(*words, "host", "sh", "-c", LOOK_TWICE),
        env=sandbox.environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as shell:
        assert shell.stdin is not None
        assert shell.stdout is not None
        assert [shell.stdout.readline() for _ in range(2)] == ["first\n", "below\n"]
        sub.parent.rename(tmp_path / "moved")
        (tmp_path / "d").symlink_to("/inside")
        rest, _ = shell.communicate("\n", timeout=60)
    assert rest.splitlines() == ["inside", "inside", "no sub", "no sub"]


@pytest.mark.parametrize("interceptor", ["rewrite", "trap"])
def test_a_thread_that_changes_the_directory_leaves_the_images_files_alone(
    sandbox: Sandbox,
    guest_program: Callable[..., pathlib.Path],
    tmp_path: pathlib.Path,
    interceptor: str,
) -> None:
    program = guest_program("near_threads", "gcc", "-static", "-pthread")
    archive = tmp_path / "image.tar"
    members = [
        images.directory("image"),
        images.file("image/f", "from the image", mode=0o644),
        images.file("near_threads", program.read_bytes(), mode=0o755),
    ]
    archive.write_bytes(images.tar(members))
    sandbox.ok("import", str(archive), "near")
    words = ["run", "--rm", "--interceptor", interceptor, "near", "/near_threads"]
    assert sandbox.ok(*words, "/own", "/image", "3000") == "done\n"
    (folder,) = sandbox.store.glob("layers/*/diff/image")
    file = folder / "f"
    assert [path.name for path in folder.iterdir()] == ["f"]
    assert file.read_text() == "from the image"
    assert file.stat().st_mode & 0o777 == 0o644
    assert file.stat().st_mtime != 1
    assert file.stat().st_nlink == 1
