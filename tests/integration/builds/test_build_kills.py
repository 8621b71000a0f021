# SPDX-License-Identifier: MIT
"""Builds that SIGKILL ends at each of their steps continue from the cache and leave nothing."""

from __future__ import annotations

import os
import pathlib
import signal
import subprocess
import sys

import pytest

from tests.harness import images
from tests.harness.builds import Builder, cached
from tests.harness.containers import processes
from tests.harness.polling import until

pytestmark = pytest.mark.guest

SLEEP = f"4322.{os.getpid()}"  # unlike the sleeps of other processes and workers
DOCKERFILE = """\
FROM base
WORKDIR /w
COPY tree /w/tree
ADD archive.tar /x
RUN cat tree/a > /made; sleep ${SECONDS:-0}
RUN rm -r tree/sub && echo 2 > tree/new
LABEL done=yes
"""
STEPS = 5

# The point of the kill, and the number of steps that are finished by then.
POINTS = {
    "before anything is copied": ("sandbox.builder.instructions.copy:transfer:before", 1),
    "in the middle of copying": ("sandbox.layers.layer_writer:LayerWriter._fill:after:2", 1),
    "when the copied layer is whole": ("sandbox.layers.layer_writer:LayerWriter.finish:after:2", 1),
    "while the copied layer goes into the store": (
        "sandbox.builder.workspace:adopt_layer:after:2",
        1,
    ),
    "before a step is remembered": ("sandbox.store.build_cache:write_step:before:2", 1),
    "when a step is remembered": ("sandbox.store.build_cache:write_step:after:2", 2),
    "when an archive is unpacked": ("sandbox.builder.instructions.add:unpack_layer:after", 2),
    "before the command starts": (
        "sandbox.builder.instructions.run_container:FirstProcess.start:before",
        3,
    ),
    "while the command runs": (
        "sandbox.builder.instructions.run_container:_Output.until_end:before",
        3,
    ),
    "when the command has ended": ("sandbox.builder.instructions.run_container:run:after", 3),
    "before the upper is a layer": ("sandbox.layers.upper_layer:write_tables:before", 3),
    "before the layer is hashed": ("sandbox.layers.upper_layer:hash_layer:before", 3),
    "while the last layer is hashed": ("sandbox.layers.tar_writer:TarWriter.end:before:5", 4),
    "before the layers are durable": ("sandbox.builder.workspace:Workspace.settle:before", 5),
    "before the image is there": ("sandbox.store.images:ImageStore.add:before", 5),
    "before the image has its name": ("sandbox.store.images:write_tags:before", 5),
    "when the image has its name": ("sandbox.store.images:ImageStore.add:after", 5),
    "while the archive is written": ("sandbox.engine.images.save:write_tar:before", 5),
    "before the cache is given": ("sandbox.builder.cache.export:_packed:before", 5),
    "while the cache is given": ("sandbox.builder.cache.export:_documents:before", 5),
    "at the very end": ("sandbox.builder.build:_build:after", 5),
}


@pytest.fixture
def builder(builder: Builder, tmp_path: pathlib.Path) -> Builder:
    for name in ("a", "b", "sub/c"):
        builder.put(f"tree/{name}", f"{name}\n")
    builder.put("archive.tar", images.tar([images.file("packed", "p")]))
    (tmp_path / "out").mkdir()
    return builder


def killed(
    builder: Builder, point: str, *flags: str | os.PathLike[str]
) -> subprocess.CompletedProcess[bytes]:
    """Run a build that is killed at *point*."""
    engine = builder.engine
    builder.put("Dockerfile", DOCKERFILE)
    return subprocess.run(
        [
            sys.executable, "-m", "tests.harness.killed", point,
            "build", "--progress", "plain", "-t", "made", *map(os.fspath, flags),
            os.fspath(builder.context),
        ],
        env=engine.environment(), capture_output=True, timeout=100, check=False,
    )  # fmt: skip


def finished(shown: str) -> int:
    """Return how many steps the plain progress shows as done, without the base."""
    steps = [
        line.partition(" ")[0] for line in shown.splitlines() if " [" in line and "/6]" in line
    ]
    done = {line.partition(" ")[0] for line in shown.splitlines() if " DONE " in line}
    return len(done.intersection(steps))


@pytest.mark.parametrize("name", POINTS)
def test_a_build_killed_at_any_point_continues_from_its_cache_and_leaves_nothing(
    name: str, builder: Builder, tmp_path: pathlib.Path
) -> None:
    point, steps = POINTS[name]
    engine = builder.engine
    out = tmp_path / "out"
    flags = ("-o", f"type=docker,dest={out}/image.tar", "--cache-to", f"type=local,dest={out}/c")
    running = ("--build-arg", f"SECONDS={SLEEP}") if "while the command" in name else ()
    done = killed(builder, point, *flags, *running)
    shown = done.stderr.decode()
    assert done.returncode == -signal.SIGKILL, shown
    assert steps - 1 <= finished(shown) <= steps, "the last step may be done but not shown"
    assert os.listdir(out) in ([], ["image.tar"], ["image.tar", "c"], ["c", "image.tar"])

    again = builder.ok(DOCKERFILE, *flags)
    assert len(cached(again)) - 1 >= steps, "a finished step runs again"
    assert builder.read("/made") == "a\n"
    assert builder.read("/w/tree/new") == "2\n"
    assert "w/tree/sub" not in builder.files()
    assert "x/packed" in builder.files()
    assert builder.inspect()["Config"]["Labels"] == {"done": "yes"}

    until(lambda: processes(SLEEP) == [])
    engine.ok("builder", "prune", "-f")
    assert os.listdir(engine.store / "tmp") == []
    assert sorted(os.listdir(out)) == ["c", "image.tar"]
    assert engine.ok("system", "fsck") == "the store is whole\n"
    runtime = pathlib.Path(engine.environ["XDG_RUNTIME_DIR"]) / "sandbox"
    assert [path.name for path in runtime.iterdir() if path.is_dir()] == []
