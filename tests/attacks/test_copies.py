# SPDX-License-Identifier: MIT
"""The host side copies files of a container that changes them meanwhile, and touches nothing else.

Landlock cannot help here: the user's own process reads and writes. When it opened files by their
paths, the race read the key in some of 2000 archives and of 1000 walks of COPY, changed the canary
in 150 rounds, `commit` took `.wh.idle` for a removal, a deep tree was an internal error, and a
program could cut the owner table off, which ended the user's commands.
"""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest

from tests.harness import images
from tests.harness.attacks import DONE, IMAGE, SECRET, Arena, results, successes
from tests.harness.polling import until

pytestmark = pytest.mark.guest

PROGRAMS = ("copies", "show", "links")
COUNT = 30
COPIER = """
import io, json, os, sys
from sandbox.engine import Engine
from sandbox.errors import SandboxError

name, folder, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
containers = Engine().containers
done = {}

def attempt(what, work, *arguments, **named):
    try:
        work(*arguments, **named)
        ended = "done"
    except SandboxError as exc:
        ended = type(exc).__name__
    done[f"{what}: {ended}"] = done.get(f"{what}: {ended}", 0) + 1

with open(f"{folder}/archives", "wb") as seen:
    for number in range(count):
        for path in json.loads(sys.argv[4]):
            out = f"{folder}/out-{number}{path.replace('/', '-')}"
            for _ in range(20):
                attempt("archive", containers.get_archive, name, path, seen.write)
            attempt("cp out", containers.copy_from, name, path, out)
        if number % 20 == 0:
            attempt("export", containers.export, name, seen.write)
            attempt("commit", containers.commit, name)
            attempt("diff", containers.diff, name)
            attempt("size", containers.layer_size, containers.get(name))
        for path in json.loads(sys.argv[5]):
            tar = open(f"{folder}/tar", "rb")
            attempt("unpack", containers.put_archive, name, path, tar.read)
            attempt("cp in", containers.copy_to, name, f"{folder}/new", f"{path}/copied")
            attempt("cp in", containers.copy_to, name, f"{folder}/tree", path)
            attempt("look", containers.path_stat, name, f"{path}/file")
print(json.dumps(done))
"""

BINDER = """
import os, sys
from sandbox.builder.file_views import HostView, join, walk
from sandbox.engine import Engine
from sandbox.errors import SandboxError

name, bound, count = sys.argv[1], sys.argv[2], int(sys.argv[3])
containers = Engine().containers
worked = 0
for number in range(count):
    try:
        containers.copy_to(name, f"{bound}/read", f"/tmp/in-{number}")
        worked += 1
    except SandboxError as exc:
        print(exc, file=sys.stderr)
    try:
        containers.copy_from(name, "/tmp/write", bound)
        worked += 1
    except SandboxError as exc:
        print(exc, file=sys.stderr)
    view = HostView(bound)  # what COPY reads
    for _ in range(10):
        try:
            for inner, fact in walk(view, b"read"):
                if fact.kind == "f":
                    with view.open(join(b"read", inner)) as file:
                        sys.stdout.buffer.write(file.read())
            worked += 1
        except SandboxError as exc:
            print(exc, file=sys.stderr)
print("worked", worked > count)
"""


@contextmanager
def attacked(
    arena: Arena,
    *command: str | pathlib.Path,
    options: Sequence[str] = (),
    program: str = "copies",
) -> Iterator[tuple[str, dict[str, str]]]:
    """Give a container that runs the program, after its preparations, and its attempts so far."""
    name = arena.sandbox.ok("run", "-d", *options, IMAGE, f"/{program}", *command).strip()
    try:
        until(lambda: results(arena.sandbox.ok("logs", name)).get("begin"))
        yield name, results(arena.sandbox.ok("logs", name))
    finally:
        arena.sandbox.call("rm", "-f", name)  # one test has removed it


def copy_often(
    arena: Arena, name: str, folder: pathlib.Path, sources: list[str], targets: list[str],
    count: int = 9,
) -> dict[str, int]:  # fmt: skip
    """Copy out of the container and into it, in one process; return how the attempts ended."""
    (folder / "new").write_text("new")
    (folder / "tree").mkdir()
    (folder / "tree" / "inner").write_text("inner")
    (folder / "tar").write_bytes(images.tar([images.file("unpacked", b"unpacked")]))
    words = [name, folder, str(count), json.dumps(sources), json.dumps(targets)]
    done = subprocess.run(
        [sys.executable, "-c", COPIER, *words],
        env=arena.sandbox.environment(),
        capture_output=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    found: dict[str, int] = json.loads(done.stdout)
    return found


def holds(folder: pathlib.Path, text: str) -> list[pathlib.Path]:
    """Return the files below a folder that contain the text."""
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    return [path for path in files if text.encode() in path.read_bytes()]


@pytest.mark.parametrize(
    ("what", "sources", "targets"),
    [
        ("read", ["/read"], []),
        ("write", [], ["/write"]),
        ("one", ["/one"], []),
        ("pipes", ["/pipes"], ["/pipes"]),
    ],
)
def test_no_race_leads_a_copy_to_the_machines_files(
    fenced: Arena, tmp_path: pathlib.Path, what: str, sources: list[str], targets: list[str]
) -> None:
    with attacked(fenced, "race", what, fenced.key.parent, fenced.canary) as (name, _):
        done = copy_often(fenced, name, tmp_path, sources, targets, count=COUNT)
        assert holds(tmp_path, SECRET) == []
        assert fenced.state().items() >= fenced.before.items()
    used = [*(("archive", "cp out") if sources else ()), *(("unpack", "cp in") if targets else ())]
    tried = {what.partition(":")[0] for what in done}
    assert tried >= {*used, "export", "diff", "commit", "size"}, done
    assert not any("InternalError" in what for what in done), done
    assert any(what.endswith(": done") for what in done), done
    assert holds(fenced.sandbox.store / "layers", SECRET) == []


def test_no_race_in_a_bind_leads_a_copy_to_the_machines_files(
    fenced: Arena, tmp_path: pathlib.Path
) -> None:
    bound = tmp_path / "bound"
    bound.mkdir()
    (tmp_path / "write").mkdir()
    (tmp_path / "write" / "made").write_text("by cp")
    other = fenced.idle()
    fenced.sandbox.ok("cp", tmp_path / "write", f"{other}:/tmp/write")
    command = ("race", "all", fenced.key.parent, fenced.canary, "/bound")
    with attacked(fenced, *command, options=["-v", f"{bound}:/bound"]):
        done = subprocess.run(
            [sys.executable, "-c", BINDER, other, bound, str(COUNT)],
            env=fenced.sandbox.environment(),
            capture_output=True,
            timeout=300,
            check=False,
        )
    assert done.stdout.endswith(b"worked True\n"), done.stderr.decode()
    assert SECRET.encode() not in done.stdout
    assert fenced.state().items() >= fenced.before.items()
    fenced.sandbox.ok("cp", f"{other}:/tmp", tmp_path / "seen")
    assert holds(tmp_path / "seen", SECRET) == []


def test_no_race_leads_a_bind_of_a_build_to_the_machines_files(
    fenced: Arena, tmp_path: pathlib.Path
) -> None:
    """When the bind was made by its path, the key was shown in some of 60 builds."""
    context = tmp_path / "context"
    context.mkdir()
    file = tmp_path / "Dockerfile"
    bind = "--mount=type=bind,source=read,target=/shown"
    file.write_text(f'FROM {IMAGE}\nRUN {bind} ["/show", "/shown/id_ed25519"]\n')
    command = ("race", "read", fenced.key.parent, fenced.canary, "/bound")
    words = ("build", "--no-cache", "--progress=plain", "-f", file, context)
    harmless = 0
    with attacked(fenced, *command, options=["-v", f"{context}:/bound"]):
        # A busy machine lets the race win often, and then a build ends before its instruction runs.
        for built in range(10 * COUNT):
            if harmless and built >= COUNT // 2:
                break
            done = fenced.sandbox.call(*words)
            said = done.stdout + done.stderr
            assert SECRET.encode() not in said
            assert b"nternal error" not in said
            harmless += b"held: harmless" in said
    assert harmless, said.decode()


def test_a_removal_takes_nothing_of_the_machine(fenced: Arena) -> None:
    with attacked(fenced, "race", "all", fenced.key.parent, fenced.canary) as (name, _):
        fenced.sandbox.ok("rm", "-f", name)
        assert fenced.state().items() >= fenced.before.items()
        assert fenced.sandbox.call("inspect", name).returncode == 1


def test_files_that_grow_and_shrink_end_a_copy(fenced: Arena, tmp_path: pathlib.Path) -> None:
    with attacked(fenced, "sizes") as (name, _):
        done = copy_often(fenced, name, tmp_path, ["/sizes"], [], count=2)
    assert not any("InternalError" in what for what in done), done
    assert done["cp out: done"] == 2


def test_directories_that_shut_the_user_out_are_copied(
    fenced: Arena, tmp_path: pathlib.Path
) -> None:
    with attacked(fenced, "odd") as (name, found):
        assert set(found.values()) == {DONE}
        changes = fenced.sandbox.ok("diff", name)
        assert "A /odd/inner/file" in changes
        fenced.sandbox.ok("cp", f"{name}:/odd", tmp_path / "out")
        (tmp_path / "out").chmod(0o700)
        (tmp_path / "out" / "inner").chmod(0o700)
        assert (tmp_path / "out" / "inner" / "file").read_text() == "inner content"
        fenced.sandbox.ok("cp", tmp_path / "out" / "inner" / "file", f"{name}:/odd/inner/new")
        refused = fenced.sandbox.call("commit", name)
        assert refused.returncode == 1
        assert b"the path of a file is too long: deep/d/d" in refused.stderr
        assert b"internal error" not in refused.stderr


def test_marks_that_were_made_by_hand_confuse_no_copy(
    fenced: Arena, tmp_path: pathlib.Path
) -> None:
    given = tmp_path / "given"
    given.write_text("given")
    source = fenced.sandbox.ok("create", IMAGE, "/idle").strip()
    fenced.sandbox.ok("cp", given, f"{source}:/tmp/given")
    fenced.sandbox.ok("commit", source, "given")
    name = fenced.sandbox.ok("run", "-d", "given", "/copies", "marks").strip()
    until(lambda: results(fenced.sandbox.ok("logs", name)).get("begin"))
    assert set(results(fenced.sandbox.ok("logs", name)).values()) == {DONE}
    changes = fenced.sandbox.ok("diff", name).splitlines()
    assert "D /tmp/given" in changes
    assert "A /marked/file" in changes
    assert not any("none" in change or "opaque" in change for change in changes)
    fenced.sandbox.ok("commit", name, "marked")
    found = fenced.sandbox.ok("create", "marked", "/idle").strip()
    fenced.sandbox.ok("cp", f"{found}:/marked", tmp_path / "marked")
    assert (tmp_path / "marked" / "file").read_text() == "content"
    fenced.sandbox.ok("rm", "-f", name, source, found)


def test_a_file_with_the_name_of_a_whiteout_is_not_committed(
    fenced: Arena, tmp_path: pathlib.Path
) -> None:
    (tmp_path / ".wh.idle").touch()
    name = fenced.sandbox.ok("create", IMAGE, "/idle").strip()
    fenced.sandbox.ok("cp", tmp_path / ".wh.idle", f"{name}:/.wh.idle")
    refused = fenced.sandbox.call("commit", name, "without-idle")
    assert b"a layer cannot hold the file .wh.idle" in refused.stderr
    assert fenced.sandbox.call("inspect", "without-idle").returncode == 1
    fenced.sandbox.ok("rm", name)


def test_a_hostile_owner_table_confuses_nobody_else(fenced: Arena, tmp_path: pathlib.Path) -> None:
    with attacked(fenced, "owners") as (name, found):
        assert found["open the owner table"] == DONE
        copy_often(fenced, name, tmp_path, ["/owned"], ["/owned"], count=2)
    assert fenced.sandbox.call("run", "--rm", IMAGE, "/copies").returncode == 2  # as it should


def links(arena: Arena) -> list[str]:
    """Return the command that links the key, a file, and a program of the image."""
    (program,) = arena.sandbox.store.glob("layers/*/diff/idle")
    return ["links", str(arena.key), str(arena.canary / "file"), str(program)]


def test_without_the_fence_a_guest_links_files_of_the_machine(unfenced: Arena) -> None:
    done = successes(unfenced.attack(*links(unfenced)))
    assert {"link the key", "link a file of the user by a descriptor"} <= set(done)
    assert "link a program of the image" in done


def test_no_file_of_the_machine_becomes_one_of_the_container(fenced: Arena) -> None:
    found = fenced.attack(*links(fenced))
    assert len(found) == 15
    assert successes(found) == []


def test_odd_attributes_and_names_are_copied_or_refused(
    fenced: Arena, tmp_path: pathlib.Path
) -> None:
    with attacked(fenced, "odd", program="links") as (name, found):
        assert DONE in found.values()
        done = copy_often(fenced, name, tmp_path, ["/odd"], ["/odd"], count=2)
        assert not any("InternalError" in what for what in done), done
        assert done["cp out: done"] == 2
        assert done["export: done"] == 1
    assert any(path.read_text() == "content" for path in tmp_path.glob("out-*/file"))


def test_the_owner_table_cannot_be_cut_off(fenced: Arena) -> None:
    with attacked(fenced, "cut") as (name, found):
        assert successes(found) == ["begin"]
        fenced.sandbox.ok("diff", name)
