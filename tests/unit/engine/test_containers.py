# SPDX-License-Identifier: MIT
"""What a request and an image make of each other, and what is true of a container."""

from __future__ import annotations

import os
import pathlib
from typing import Any

import pytest

from sandbox.engine import Engine
from sandbox.engine.containers.config import CreateRequest, configure
from sandbox.errors import (
    Conflict,
    ContainerNotFound,
    ImageNotFound,
    SandboxError,
    Unsupported,
    UsageError,
)
from sandbox.models.container import Container, ContainerState
from sandbox.models.image import host_image
from sandbox.models.oci import RunConfig
from sandbox.models.timestamps import now
from sandbox.runtime.process import reaper
from sandbox.store.containers import ContainerStore
from sandbox.store.layout import Layout


@pytest.fixture
def engine(tmp_path: pathlib.Path) -> Engine:
    return Engine(Layout(tmp_path / "store"))


def _store(engine: Engine) -> ContainerStore:
    return ContainerStore(engine.layout)


def _image(**config: Any) -> Any:
    image = host_image()
    return type(image)(
        **{
            **{name: getattr(image, name) for name in image.__struct_fields__},
            "config": RunConfig(**config),
        }
    )


def test_what_the_user_did_not_say_comes_from_the_image() -> None:
    image = _image(
        entrypoint=["tini"],
        cmd=["sh"],
        env=["PATH=/p", "A=1"],
        user="www",
        working_dir="/srv",
        labels={"a": "1", "b": "2"},
        stop_signal="SIGINT",
    )
    request = CreateRequest(image="x", labels=(("b", "3"),), env=("A=2",))
    config = configure(request, image, ())
    assert config.args == ("tini", "sh")
    assert config.env == ("PATH=/p", "A=2")
    assert (config.user, config.working_dir) == ("www", "/srv")
    assert config.labels == {"a": "1", "b": "3"}
    assert config.stop_signal == "SIGINT"
    assert config.hostname == config.id[:12]


def test_what_the_user_said_wins() -> None:
    image = _image(cmd=["sh"], user="www", working_dir="/srv")
    request = CreateRequest(
        image="x",
        args=("ls", "-l"),
        name="mine",
        user="0",
        working_dir="/tmp",
        hostname="box",
    )
    config = configure(request, image, ())
    assert (config.args, config.name) == (("ls", "-l"), "mine")
    assert (config.user, config.working_dir, config.hostname) == ("0", "/tmp", "box")


def test_a_relative_working_directory_is_refused() -> None:
    request = CreateRequest(image="x", args=("ls",), working_dir="a")
    with pytest.raises(UsageError, match="needs to be an absolute path"):
        configure(request, _image(), ())


@pytest.mark.parametrize(
    ("platform", "message"),
    [
        ("linux/s390x", "does not match the specified platform"),
        ("windows/amd64", "does not match the specified platform"),
    ],
)
def test_another_platform_than_the_image_s_is_refused(
    engine: Engine, platform: str, message: str
) -> None:
    with pytest.raises(SandboxError, match=message):
        engine.containers.create(CreateRequest(image="host", platform=platform))


def test_an_unknown_interceptor_is_refused(engine: Engine) -> None:
    with pytest.raises(Unsupported, match="choose one of auto"):
        engine.containers.create(CreateRequest(image="host", interceptor="magic"))


def test_an_unknown_image_is_named_as_docker_names_it(engine: Engine) -> None:
    with pytest.raises(ImageNotFound, match="find image 'nope:latest' locally"):
        engine.containers.create(CreateRequest(image="nope"))
    assert list(_store(engine).all()) == []


def test_a_name_is_taken_only_once(engine: Engine) -> None:
    first = engine.containers.create(CreateRequest(image="host", name="web"))
    with pytest.raises(Conflict, match=f'"/web" is already in use.*{first.config.id}'):
        engine.containers.create(CreateRequest(image="host", name="web"))
    engine.containers.remove("web", force=False)
    engine.containers.create(CreateRequest(image="host", name="web"))


def test_a_container_is_found_by_name_id_and_start_of_its_id(engine: Engine) -> None:
    made = engine.containers.create(CreateRequest(image="host", name="web"))
    for name in ("web", "/web", made.config.id, made.config.id[:5]):
        assert engine.containers.get(name) == made
    with pytest.raises(ContainerNotFound, match="no such container: nope"):
        engine.containers.get("nope")


def test_an_ambiguous_id_is_refused(engine: Engine) -> None:
    starts: set[str] = set()
    while True:
        start = engine.containers.create(CreateRequest(image="host")).config.id[0]
        if start in starts:
            break
        starts.add(start)
    with pytest.raises(UsageError, match="multiple IDs found"):
        engine.containers.get(start)


def _running(container: Container, pid: int, start: int, engine: Engine) -> Container:
    run_dir = os.fspath(engine.layout.root / "run")
    state = ContainerState("running", pid, start, 0, now(), "", "", run_dir)
    return _store(engine).write_state(container, state)


def test_a_container_whose_process_is_gone_has_exited(engine: Engine) -> None:
    made = engine.containers.create(CreateRequest(image="host"))
    _running(made, os.getpid(), 1, engine)  # the number is in use by another process
    told = engine.containers.get(made.config.id)
    assert (told.state.status, told.state.exit_code) == ("exited", 137)
    assert _store(engine).read(made.config.id) == told


def test_a_container_whose_process_lives_is_running(engine: Engine) -> None:
    made = engine.containers.create(CreateRequest(image="host"))
    start = reaper.start_time_of(os.getpid())
    assert start is not None
    _running(made, os.getpid(), start, engine)
    assert engine.containers.get(made.config.id).state.is_running


def test_while_its_supervisor_holds_it_a_container_is_not_declared_dead(
    engine: Engine,
) -> None:
    made = engine.containers.create(CreateRequest(image="host"))
    held = _store(engine).hold(made)
    _running(made, os.getpid(), 1, engine)
    assert engine.containers.get(made.config.id).state.is_running
    os.close(held)
    assert not engine.containers.get(made.config.id).state.is_running


def test_a_lost_container_of_run_rm_disappears(engine: Engine) -> None:
    made = engine.containers.create(CreateRequest(image="host", auto_remove=True))
    _running(made, os.getpid(), 1, engine)
    assert engine.containers.list() == []
    assert list(_store(engine).all()) == []


def test_a_container_of_run_rm_that_never_started_disappears_with_its_command(
    engine: Engine,
) -> None:
    made = engine.containers.create(CreateRequest(image="host", auto_remove=True))
    assert engine.containers.list() == [made]
    _store(engine).write_state(made, ContainerState(pid=os.getpid(), pid_start=1))
    assert engine.containers.list() == []


def test_containers_come_newest_first(engine: Engine) -> None:
    made = [engine.containers.create(CreateRequest(image="host")) for _ in range(3)]
    assert engine.containers.list() == made[::-1]


def test_a_failed_creation_leaves_nothing(engine: Engine) -> None:
    with pytest.raises(UsageError):
        engine.containers.create(CreateRequest(image="host", name="bad name"))
    assert list(engine.layout.containers.iterdir()) == []
    assert list(engine.layout.tmp.iterdir()) == []
