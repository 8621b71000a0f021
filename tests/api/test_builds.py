# SPDX-License-Identifier: MIT
"""Builds and images through docker-py: the output of the classic builder, and the images."""

from __future__ import annotations

import io
import pathlib
from collections.abc import Iterator
from typing import Any

import docker as docker_py
import pytest
from docker.errors import APIError, BuildError

from tests.api.conftest import import_rootfs, private_sandbox
from tests.harness import apiserver, registry
from tests.harness.apiserver import Server

pytestmark = pytest.mark.guest

Line = dict[str, Any]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, rootfs: pathlib.Path) -> Iterator[Server]:
    """A server that may use a registry, with the image `box`."""
    folder = tmp_path_factory.mktemp("api")
    sandbox = private_sandbox(folder)
    sandbox.environ["SANDBOX_OFFLINE"] = "0"
    with apiserver.serving(sandbox, folder) as server:
        import_rootfs(server, rootfs)
        yield server


@pytest.fixture
def client(api: Server) -> Iterator[docker_py.DockerClient]:
    found = docker_py.DockerClient(base_url=api.url, timeout=100)
    try:
        yield found
    finally:
        found.close()


def build(client: docker_py.DockerClient, text: str, **more: Any) -> list[Line]:
    """Build a Dockerfile without a context; return the lines of the answer."""
    file = io.BytesIO(text.encode())
    return list(client.api.build(fileobj=file, decode=True, rm=True, **more))


def streamed(lines: list[Line]) -> str:
    return "".join(line.get("stream", "") for line in lines)


def cached(lines: list[Line]) -> int:
    return streamed(lines).count("Using cache")


def refused(act: Any, *words: Any, **more: Any) -> tuple[int, str]:
    with pytest.raises(APIError) as caught:
        act(*words, **more)
    return caught.value.status_code, caught.value.explanation


EVERYTHING = """
FROM box AS first
ENV FOO=bar
RUN touch /a
LABEL x=y
FROM box
COPY --from=first /a /b
CMD ["cat", "/b"]
"""


def test_every_instruction_is_a_numbered_step(client: docker_py.DockerClient) -> None:
    lines = build(client, EVERYTHING, tag="steps:1")
    steps = [line for line in streamed(lines).splitlines() if line.startswith("Step ")]
    assert steps == [
        "Step 1/7 : FROM box",
        "Step 2/7 : ENV FOO=bar",
        "Step 3/7 : RUN touch /a",
        "Step 4/7 : LABEL x=y",
        "Step 5/7 : FROM box",
        "Step 6/7 : COPY --from=first /a /b",
        'Step 7/7 : CMD ["cat", "/b"]',
    ]
    assert cached(lines) == 0
    [image] = [line["aux"]["ID"] for line in lines if "aux" in line]
    assert streamed(lines[-2:]) == (
        f"Successfully built {image[7:19]}\nSuccessfully tagged steps:1\n"
    )
    assert cached(build(client, EVERYTHING, tag="steps:1")) == 5


def test_cache_from_an_unknown_image_is_ignored(client: docker_py.DockerClient) -> None:
    text = "FROM box\nENV FOO=bar\nRUN touch baz\nRUN touch bax\n"
    build(client, text, tag="kept")
    assert cached(build(client, text, cache_from=["nosuchname"])) == 0
    assert cached(build(client, text, cache_from=["kept"])) == 3


def test_standard_error_is_red_and_a_failure_is_the_last_line(
    client: docker_py.DockerClient,
) -> None:
    lines = build(client, "FROM box\nRUN echo fine; echo bad >&2; exit 7\n")
    assert {"stream": "fine\n"} in lines
    assert {"stream": "\x1b[91mbad\n\x1b[0m"} in lines
    assert lines[-1]["errorDetail"]["code"] == 7
    with pytest.raises(BuildError, match="returned a non-zero code: 7"):
        client.images.build(fileobj=io.BytesIO(b"FROM box\nRUN exit 7\n"))


def test_a_build_that_cannot_begin_is_refused_with_a_status(client: docker_py.DockerClient) -> None:
    status, said = refused(build, client, "FROM box\nNONSENSE\n")
    assert (status, said) == (
        400,
        "dockerfile parse error on line 2: unknown instruction: NONSENSE",
    )
    status, said = refused(build, client, "FROM box\n", platform="foobar")
    assert (status, "unknown operating system or architecture" in said) == (400, True)
    status, said = refused(build, client, "FROM 127.0.0.1:1/nothing\n")
    assert (status, "127.0.0.1:1" in said) == (500, True)


def test_an_option_without_effect_gives_a_warning_in_a_build(
    client: docker_py.DockerClient,
) -> None:
    lines = build(client, "FROM scratch\nLABEL a=b\n", shmsize=2**27, tag="shm")
    assert lines[0] == {
        "stream": "[Warning] shmsize has no effect: see docs/docker-compat.md\n",
    }
    assert client.images.get("shm").labels == {"a": "b"}


def test_a_context_has_the_files_that_the_client_sends(
    client: docker_py.DockerClient, tmp_path: pathlib.Path
) -> None:
    context = tmp_path / "context"
    (context / "ignored" / "sub").mkdir(parents=True)
    for name in ("kept", "ignored/gone", "ignored/sub/back"):
        (context / name).write_text(name)
    (context / ".dockerignore").write_text("ignored\n.dockerignore\n!ignored/sub/back\n")
    (tmp_path / "Elsewhere").write_text("FROM box\nCOPY . /src\nWORKDIR /src\n")
    image, _ = client.images.build(
        path=str(context), dockerfile=str(tmp_path / "Elsewhere"), gzip=True, tag="files"
    )
    assert client.containers.run(image, "find . -type f").decode().split() == [
        "./ignored/sub/back",
        "./kept",
    ]
    output = client.images.build(fileobj=io.BytesIO(b"FROM box\nCMD echo Successfully built 1"))
    assert client.containers.run(output[0]) == b"Successfully built 1\n"


def test_extra_hosts_are_in_a_build_s_etc_hosts(client: docker_py.DockerClient) -> None:
    lines = build(
        client,
        "FROM box\nRUN cat /etc/hosts\n",
        extra_hosts={"one.test": "127.0.0.1", "two.test": "10.0.0.9"},
        nocache=True,
    )
    assert {"127.0.0.1\tone.test", "10.0.0.9\ttwo.test"} <= set(streamed(lines).splitlines())


def test_a_committed_image_names_its_parent(client: docker_py.DockerClient) -> None:
    box = client.containers.run("box", "touch /test", detach=True)
    box.wait()
    image = box.commit(changes=["EXPOSE 8000", 'CMD ["cat"]'])
    assert image.attrs["Parent"] == client.images.get("box").id
    assert list(image.attrs["Config"]["ExposedPorts"]) == ["8000/tcp"]
    assert image.attrs["Config"]["Cmd"] == ["cat"]
    assert client.containers.run(image.id, "cat /test", remove=True) == b""
    deleted = client.api.remove_image(image.id, force=True)
    assert {"Deleted": image.id} in deleted


def test_a_pull_says_whether_the_image_is_up_to_date(
    client: docker_py.DockerClient, tmp_path: pathlib.Path
) -> None:
    with registry.running(tmp_path / "registry") as server:
        name = f"{server.host}/team/box"
        for tag in ("1", "2"):
            client.images.get("box").tag(name, tag)
            client.api.push(name, tag=tag)
        client.images.remove(f"{name}:2")

        def status(tag: str) -> str:
            lines = client.api.pull(name, tag=tag, stream=True, decode=True)
            return str([line["status"] for line in lines][-1])

        assert status("1") == f"Status: Image is up to date for {name}:1"
        assert status("2") == f"Status: Downloaded newer image for {name}:2"
        assert status("2") == f"Status: Image is up to date for {name}:2"
        found, said = refused(client.api.pull, name, tag="3")
        assert (found, f"{name}:3" in said) == (404, True)
        status_, said = refused(client.api.pull, name, tag="1", platform="foobar")
        assert (status_, "unknown operating system or architecture" in said) == (400, True)
