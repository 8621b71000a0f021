# SPDX-License-Identifier: MIT
"""The real docker command line on the server."""

from __future__ import annotations

import json
import pathlib
import re
import subprocess
import tarfile
from collections.abc import Iterator

import pexpect
import pytest

from tests.api.conftest import import_rootfs, private_sandbox
from tests.harness import apiserver, registry
from tests.harness.apiserver import Docker, Server
from tests.harness.polling import until

pytestmark = pytest.mark.guest


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory, rootfs: pathlib.Path) -> Iterator[Server]:
    """A server that may use a registry, with the image `box`."""
    folder = tmp_path_factory.mktemp("api")
    sandbox = private_sandbox(folder)
    sandbox.environ["SANDBOX_OFFLINE"] = "0"
    with apiserver.serving(sandbox, folder) as server:
        import_rootfs(server, rootfs)
        yield server


def short(text: str) -> str:
    return re.sub(r"[0-9a-f]{64}", "<id>", text).strip()


def test_containers_from_run_to_rm(docker: Docker) -> None:
    ok = docker.ok
    assert ok("run", "--rm", "box", "echo", "hello") == "hello\n"
    done = docker.call("run", "--rm", "box", "sh", "-c", "echo out; echo err >&2; exit 3")
    assert (done.returncode, done.stdout, done.stderr) == (3, b"out\n", b"err\n")
    assert ok("run", "--rm", "-i", "box", "cat", stdin=b"piped\n") == "piped\n"
    ok("run", "--rm", "box", "nosuch", code=127)
    ok("run", "--rm", "box", "/etc", code=126)
    ok("run", "--rm", "127.0.0.1:1/none", "true", code=125)
    ok("run", "--rm", "--memory", "1k", "box", "true", code=125)
    assert ok("run", "--rm", "-e", "A=b", "-w", "/tmp", "box", "sh", "-c", "echo $A; pwd") == (
        "b\n/tmp\n"
    )
    assert ok("run", "--rm", "-u", "7:8", "box", "sh", "-c", "id -u; id -g") == "7\n8\n"
    assert ok("run", "--rm", "-h", "me", "box", "hostname") == "me\n"
    assert short(ok("run", "-d", "--name", "web", "-l", "k=v", "box", "sleep", "1000")) == "<id>"
    ok("run", "-d", "--name", "web", "box", "true", code=125)
    assert ok("ps", "--format", "{{.Names}} {{.Image}} {{.State}}") == "web box running\n"
    assert (
        ok("ps", "-q", "--no-trunc", "--filter", "label=k=v").strip()
        == ok("inspect", "-f", "{{.Id}}", "web").strip()
    )
    assert ok("ps", "--filter", "name=other", "-q") == ""
    assert "COMMAND" in ok("ps", "-a")
    assert ok("exec", "web", "echo", "in") == "in\n"
    ok("exec", "web", "sh", "-c", "exit 5", code=5)
    ok("exec", "web", "nosuch", code=127)
    assert ok("exec", "-i", "web", "cat", stdin=b"data") == "data"
    assert ok("exec", "-e", "X=1", "-w", "/etc", "web", "sh", "-c", "echo $X; pwd") == "1\n/etc\n"
    ok("exec", "-d", "web", "touch", "/tmp/there")
    until(lambda: docker.call("exec", "web", "test", "-e", "/tmp/there").returncode == 0)
    assert "sleep 1000" in ok("top", "web")
    assert ok("diff", "web").splitlines() == ["C /tmp", "A /tmp/there"]
    assert ok("inspect", "--format", "{{.State.Running}} {{.Config.Image}}", "web") == "true box\n"
    assert "CPU %" in ok("stats", "--no-stream", "web")
    assert ok("rename", "web", "site") == ""
    assert ok("pause", "site") == "site\n"
    assert "(Paused)" in ok("ps")
    assert ok("unpause", "site") == "site\n"
    assert ok("update", "--restart", "on-failure:3", "site").strip().endswith("site")
    assert ok("inspect", "-f", "{{.HostConfig.RestartPolicy.MaximumRetryCount}}", "site") == "3\n"
    assert ok("restart", "-t", "0", "site") == "site\n"
    assert ok("stop", "-t", "10", "site") == "site\n"
    assert ok("wait", "site") == "143\n"  # its main process does not ignore SIGTERM
    assert ok("start", "site") == "site\n"
    assert ok("kill", "site") == "site\n"
    ok("kill", "site", code=1)
    ok("rm", "nosuch", code=1)
    assert ok("rm", "site") == "site\n"
    ok("inspect", "nosuch", code=1)


def test_logs_attach_and_terminals_work(docker: Docker) -> None:
    ok = docker.ok
    ok("run", "-d", "--name", "says", "box", "sh", "-c", "echo one; echo two >&2; echo three")
    ok("wait", "says")
    done = docker.call("logs", "says")
    assert (done.stdout, done.stderr) == (b"one\nthree\n", b"two\n")
    assert ok("logs", "--tail", "0", "says") == ""
    assert re.match(r"\d{4}-\d\d-\d\dT[\d:.]+Z one\n", ok("logs", "-t", "says"))
    assert ok("logs", "--since", "2200-01-01", "says") == ""
    assert "one\nthree\n" in ok("logs", "-f", "says")
    counting = "for i in 1 2 3; do echo $i; sleep 0.2; done"
    ok("run", "-d", "--name", "goes", "box", "sh", "-c", counting)
    assert ok("logs", "-f", "goes") == "1\n2\n3\n"
    assert ok("logs", "--tail", "1", "goes") == "3\n"
    assert ok("start", "-a", "goes") == "1\n2\n3\n"
    terminal = pexpect.spawn(
        docker.program,
        ["run", "-it", "--rm", "--name", "term", "box", "sh"],
        env=docker.environment(),
        timeout=100,
        dimensions=(33, 101),
        encoding="utf-8",
    )
    terminal.expect("# ")
    waiting = 'until [ "$(stty size)" = "{}" ]; do :; done; echo si\'\'zed'
    terminal.sendline(waiting.format("33 101"))
    terminal.expect("sized")
    terminal.setwinsize(20, 50)
    terminal.sendline(waiting.format("20 50"))
    terminal.expect("sized")
    inner = pexpect.spawn(
        docker.program,
        ["exec", "-it", "term", "sh"],
        env=docker.environment(),
        timeout=100,
        encoding="utf-8",
    )
    inner.expect("# ")
    inner.sendline("exit 9")
    inner.expect(pexpect.EOF)
    inner.close()
    assert inner.exitstatus == 9
    terminal.send("\x10\x11")  # ctrl-p, ctrl-q
    terminal.expect(pexpect.EOF)
    terminal.close()
    assert ok("ps", "-q", "--filter", "name=term") != ""
    again = pexpect.spawn(
        docker.program, ["attach", "term"], env=docker.environment(), timeout=100, encoding="utf-8"
    )
    again.sendline("exit 4")
    again.expect(pexpect.EOF)
    again.close()
    assert again.exitstatus == 4


def test_cp_diff_and_commit_move_files(docker: Docker, tmp_path: pathlib.Path) -> None:
    ok = docker.ok
    ok("create", "--name", "files", "box", "sleep", "1000")
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree" / "a.txt").write_text("alpha")
    ok("cp", str(tmp_path / "tree"), "files:/tmp")
    ok("cp", "files:/tmp/tree/a.txt", str(tmp_path / "back"))
    assert (tmp_path / "back").read_text() == "alpha"
    ok("start", "files")
    assert ok("exec", "files", "cat", "/tmp/tree/a.txt") == "alpha"
    ok("cp", "files:/tmp/tree", str(tmp_path / "copy"))
    assert (tmp_path / "copy" / "a.txt").read_text() == "alpha"
    ok("cp", "files:/nosuch", str(tmp_path), code=1)
    ok("export", "-o", str(tmp_path / "all.tar"), "files")
    with tarfile.open(tmp_path / "all.tar") as tar:
        assert "tmp/tree/a.txt" in tar.getnames()
    assert short(ok("commit", "-m", "with a", "-a", "me", "files", "kept:1")) == "sha256:<id>"
    assert ok("run", "--rm", "kept:1", "cat", "/tmp/tree/a.txt") == "alpha"
    ok("rmi", "kept:1")


def test_images(docker: Docker, tmp_path: pathlib.Path, rootfs: pathlib.Path) -> None:
    ok = docker.ok
    assert "box" in ok("images")
    assert ok("images", "--format", "{{.Repository}}:{{.Tag}}", "box") == "box:latest\n"
    assert ok("tag", "box", "me/box:2") == ""
    assert json.loads(ok("image", "inspect", "me/box:2"))[0]["RepoTags"] == [
        "box:latest",
        "me/box:2",
    ]
    assert "IMAGE" in ok("history", "box")
    ok("save", "-o", str(tmp_path / "box.tar"), "me/box:2")
    assert ok("rmi", "me/box:2") == "Untagged: me/box:2\n"
    assert ok("load", "-i", str(tmp_path / "box.tar")) == "Loaded image: me/box:2\n"
    assert short(ok("import", str(rootfs), "again:1")) == "sha256:<id>"
    ok("rmi", "again:1", "me/box:2")
    ok("rmi", "nosuch", code=1)
    ok("pull", "127.0.0.1:1/none", code=1)
    ok("push", "nosuch", code=1)
    assert "Total reclaimed space" in ok("image", "prune", "-f")


def test_a_repository_is_saved_with_all_its_tags(docker: Docker, tmp_path: pathlib.Path) -> None:
    for tag in ("1", "2"):
        docker.ok("tag", "box", f"two/tags:{tag}")
    docker.ok("save", "-o", str(tmp_path / "all.tar"), "two/tags")
    with tarfile.open(tmp_path / "all.tar") as tar:
        manifest = tar.extractfile("manifest.json")
        assert manifest is not None
        assert json.load(manifest)[0]["RepoTags"] == ["two/tags:1", "two/tags:2"]
    docker.ok("save", "two/nosuch", code=1)
    docker.ok("rmi", "two/tags:1", "two/tags:2")


def test_the_dockerfile_may_lie_outside_of_the_context(
    docker: Docker, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "context").mkdir()
    (tmp_path / "context" / "file").write_text("text")
    (tmp_path / "Dockerfile").write_text("FROM box\nCOPY file /file\nRUN cat /file\n")
    arguments = ("-q", "-f", str(tmp_path / "Dockerfile"), str(tmp_path / "context"))
    assert short(docker.ok("build", *arguments)) == "sha256:<id>"


def test_the_contents_of_a_directory_are_copied_out_under_a_new_name(
    docker: Docker, tmp_path: pathlib.Path
) -> None:
    script = "mkdir -p /data/sub; echo 1 >/data/one; echo 2 >/data/sub/two"
    docker.ok("run", "--name", "filled", "box", "sh", "-c", script)
    docker.ok("cp", "filled:/data/.", str(tmp_path / "new"))
    assert sorted(path.name for path in tmp_path.joinpath("new").iterdir()) == ["one", "sub"]
    assert not (tmp_path / "one").exists()


def test_small_facts_of_a_container_are_dockers(docker: Docker) -> None:
    docker.ok("create", "--name", "facts", "-v", "/anon", "-w", "/tmp/", "box", "true")
    assert docker.ok("inspect", "-f", "{{.Config.WorkingDir}}", "facts") == "/tmp\n"
    volume = docker.ok("inspect", "-f", "{{(index .Mounts 0).Name}}", "facts").strip()
    labels = docker.ok("volume", "inspect", "-f", "{{json .Labels}}", volume)
    assert json.loads(labels) == {"com.docker.volume.anonymous": ""}


def test_a_registry(docker: Docker, tmp_path: pathlib.Path) -> None:
    ok = docker.ok
    with registry.running(tmp_path / "registry") as server:
        name = f"{server.host}/team/box:1"
        ok("tag", "box", name)
        assert "1: digest: sha256:" in ok("push", name)
        ok("rmi", name)
        pulled = ok("pull", name)
        assert "Digest: sha256:" in pulled
        assert f"Status: Downloaded newer image for {name}" in pulled
        assert f"Status: Image is up to date for {name}" in ok("pull", name)
        ok("rmi", name)
        assert ok("run", "--rm", name, "echo", "pulled") == "pulled\n"
        ok("rmi", name)


def test_builds(docker: Docker, tmp_path: pathlib.Path) -> None:
    ok = docker.ok
    (tmp_path / "app").mkdir()
    (tmp_path / "app" / "file").write_text("content\n")
    (tmp_path / "app" / "Dockerfile").write_text(
        "FROM box\nARG WHO=you\nCOPY file /file\nRUN echo $WHO > /who && echo said\n"
        'CMD ["cat", "/file", "/who"]\n'
    )
    said = ok("build", "-t", "app:1", "--build-arg", "WHO=me", str(tmp_path / "app"))
    assert "Step 1/" in said
    assert "said\n" in said
    assert "Successfully built" in said
    assert "Successfully tagged app:1" in said
    assert ok("run", "--rm", "app:1") == "content\nme\n"
    assert short(ok("build", "-q", "-t", "app:1", str(tmp_path / "app"))) == "sha256:<id>"
    (tmp_path / "app" / "Dockerfile").write_text("FROM box\nRUN exit 7\n")
    ok("build", str(tmp_path / "app"), code=7)
    (tmp_path / "app" / "Dockerfile").write_text("FROM box\nNONSENSE\n")
    ok("build", str(tmp_path / "app"), code=1)
    assert "Total" in ok("builder", "prune", "-f")
    ok("rmi", "app:1")


def test_networks_and_volumes(docker: Docker) -> None:
    ok = docker.ok
    assert ok("network", "ls", "--format", "{{.Name}}").split() == ["bridge", "host", "none"]
    assert short(ok("network", "create", "back")) == "<id>"
    ok("network", "create", "back", code=1)
    ok("run", "-d", "--name", "one", "--network", "back", "box", "sleep", "1000")
    assert "127." in ok(
        "inspect", "-f", '{{(index .NetworkSettings.Networks "back").IPAddress}}', "one"
    )
    ok("network", "rm", "back", code=1)
    ok("network", "disconnect", "back", "one")
    ok("network", "connect", "back", "one")
    assert "one" in ok("network", "inspect", "back")
    ok("rm", "-f", "one")
    assert ok("network", "rm", "back") == "back\n"
    assert "Deleted" not in ok("network", "prune", "-f")
    assert ok("volume", "create", "data") == "data\n"
    ok("run", "--rm", "-v", "data:/d", "box", "sh", "-c", "echo kept > /d/f")
    assert ok("run", "--rm", "-v", "data:/d:ro", "box", "cat", "/d/f") == "kept\n"
    assert "data" in ok("volume", "ls")
    assert json.loads(ok("volume", "inspect", "data"))[0]["Driver"] == "local"
    assert ok("volume", "rm", "data") == "data\n"
    ok("volume", "rm", "data", code=1)
    assert "Total reclaimed space" in ok("volume", "prune", "-f")


def test_the_system(docker: Docker) -> None:
    ok = docker.ok
    assert ok("version", "--format", "{{.Server.APIVersion}}") == "1.44\n"
    assert ok("info", "--format", "{{.OSType}}") == "linux\n"
    wanted_events = ("--filter", "container=seen", "--filter", "type=container")
    wanted_events += ("--format", "{{.Action}}")
    following = subprocess.Popen(
        [docker.program, "events", "--since", "1", *wanted_events],
        env=docker.environment(),
        stdout=subprocess.PIPE,
        text=True,
    )
    assert following.stdout is not None
    try:
        ok("create", "--name", "seen", "box", "true")
        ok("start", "-a", "seen")
        ok("rm", "seen")
        seen: list[str] = []
        while "destroy" not in seen:
            seen.append(following.stdout.readline().strip())
            assert seen[-1], seen  # it has ended
        wanted = ["create", "start", "die", "destroy"]
        assert [action for action in seen if action in wanted] == wanted
    finally:
        following.terminate()
        following.wait(timeout=100)
        following.stdout.close()
    past = ok("events", "--since", "1h", "--until", "0s", "--format", "{{.Type}} {{.Action}}")
    assert "container create" in past
    assert "TYPE" in ok("system", "df")
    ok("system", "df", "-v")
    ok("create", "--name", "old", "box", "true")
    assert "Deleted Containers" in ok("container", "prune", "-f")
    assert "Total reclaimed space" in ok("system", "prune", "-f")
    ok("swarm", "init", code=1)
    ok("plugin", "ls")
