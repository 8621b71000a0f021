# SPDX-License-Identifier: MIT
"""RUN --mount, ADD, contexts, outputs and the build cache."""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import http.server
import json
import os
import pathlib
import signal
import socket
import subprocess
import tarfile
import tempfile
import threading

import pytest

from tests.harness import images, registry
from tests.harness.builds import Builder, base_image, cached
from tests.harness.command import Sandbox
from tests.harness.polling import until

pytestmark = pytest.mark.guest
WORD = "quite-a-secret-9f3b"
SLEEP = f"1234.{os.getpid()}"  # unlike the sleeps of other processes


def everything_below(path: pathlib.Path) -> bytes:
    found = b""
    for folder, _, names in os.walk(path):
        for name in names:
            with contextlib.suppress(OSError):
                data = (pathlib.Path(folder) / name).read_bytes()
                found += data if data[:2] != b"\x1f\x8b" else gzip.decompress(data)
    return found


def test_secrets_reach_only_the_command_and_are_stored_nowhere(
    builder: Builder, tmp_path: pathlib.Path
) -> None:
    secret = tmp_path / "secret"
    secret.write_text(WORD)
    builder.engine.environ["TOKEN"] = WORD
    dockerfile = (
        "FROM base\nRUN --mount=type=secret,id=one cat /run/secrets/one | wc -c > /size\n"
        "RUN --mount=type=secret,id=one,target=/s,uid=1000,mode=0400 stat -c '%u %a' /s > /stat\n"
        'RUN --mount=type=secret,id=two,env=KEY test -n "$KEY" && echo ${#KEY} > /len\n'
        "RUN --mount=type=secret,id=absent test ! -e /run/secrets/absent\n"
    )
    flags = ("--secret", f"id=one,src={secret}", "--secret", "id=two,env=TOKEN")
    builder.ok(dockerfile, *flags)
    assert builder.read("/size").strip() == str(len(WORD))
    assert builder.read("/len").strip() == str(len(WORD))
    assert builder.read("/stat") == "1000 400\n"
    builder.engine.ok("save", "-o", tmp_path / "saved.tar", "made")
    assert WORD.encode() not in everything_below(builder.engine.store)
    assert WORD.encode() not in (tmp_path / "saved.tar").read_bytes()
    runtime = pathlib.Path(builder.engine.environ["XDG_RUNTIME_DIR"])
    assert WORD.encode() not in everything_below(runtime)
    secret.write_text("another")
    assert len(cached(builder.ok(dockerfile, *flags))) == 5, "a changed secret runs the step again"
    shown = builder.fails("FROM base\nRUN --mount=type=secret,id=no,required=true true\n")
    assert "secret no: not found" in shown


def test_cache_mounts_keep_their_files_outside_of_layers(builder: Builder) -> None:
    step = (
        "RUN --mount=type=cache,target=/cache,sharing=locked "
        "echo {} >> /cache/log && cat /cache/log > /seen\n"
    )
    builder.ok("FROM base\n" + step.format(1))
    builder.ok("FROM base\n" + step.format(2))
    assert builder.read("/seen") == "1\n2\n"
    assert "cache/log" not in builder.files()
    assert "cache" not in builder.files()
    df = builder.engine.ok("system", "df")
    assert "Build Cache" in df
    builder.engine.ok("builder", "prune", "-af")
    builder.ok("FROM base\n" + step.format(3))
    assert builder.read("/seen") == "3\n"


def test_private_and_locked_cache_mounts_are_not_shared_at_once(builder: Builder) -> None:
    step = (
        "RUN --mount=type=cache,id=c,target=/c,sharing={} "
        "test ! -e /c/busy && touch /c/busy && sleep 0.5 && rm /c/busy && touch /{}\n"
    )
    for sharing in ("private", "locked"):
        builder.ok(
            f"FROM base AS a\n{step.format(sharing, 'a')}"
            f"FROM base AS b\n{step.format(sharing, 'b')}"
            "FROM scratch\nCOPY --from=a /a /\nCOPY --from=b /b /\n"
        )
        assert {"a", "b"} <= builder.files().keys()


def test_bind_mounts_show_the_context_and_other_stages(builder: Builder) -> None:
    builder.put("in/f", "context")
    dockerfile = (
        "FROM base AS s\nRUN mkdir /x && echo stage > /x/f && chown 3:4 /x/f\nFROM base\n"
        "RUN --mount=target=/ctx cat /ctx/in/f > /one && ! touch /ctx/new\n"
        "RUN --mount=from=s,source=/x,target=/s cat /s/f > /two && stat -c %u:%g /s/f >> /two\n"
        "RUN --mount=type=bind,source=in,target=/rw,rw echo more >> /rw/f && cat /rw/f > /three\n"
        "RUN --mount=type=tmpfs,target=/t touch /t/x && ls /t > /four\n"
    )
    builder.ok(dockerfile)
    assert builder.read("/one") == "context"
    assert builder.read("/two") == "stage\n3:4\n"
    assert builder.read("/three") == "contextmore\n"
    assert builder.read("/four") == "x\n"
    assert not {"ctx", "s", "rw", "t"} & builder.files().keys()
    assert (builder.context / "in/f").read_text() == "context"
    builder.put("in/f", "changed")
    builder.ok(dockerfile)
    assert builder.read("/one") == "changed"


def test_the_ssh_agent_is_at_ssh_auth_sock(builder: Builder) -> None:
    # The path is short, since sun_path only holds 108 bytes.
    with tempfile.TemporaryDirectory(dir="/tmp") as short, socket.socket(socket.AF_UNIX) as agent:
        path = f"{short}/agent"
        agent.bind(path)
        agent.listen()
        builder.ok(
            "FROM base\nRUN --mount=type=ssh test -S $SSH_AUTH_SOCK && echo $SSH_AUTH_SOCK > /s\n",
            "--ssh",
            f"default={path}",
        )
    assert builder.read("/s") == "/run/buildkit/ssh_agent.0\n"
    assert "run" not in builder.files()


def test_bound_host_directories_are_not_in_layers(builder: Builder, tmp_path: pathlib.Path) -> None:
    host = tmp_path / "host"
    host.mkdir()
    (host / "f").write_text("of the host\n")
    builder.ok("FROM base\nRUN cat /mnt/f > /seen\n", "-v", f"{host}:/mnt:ro")
    assert builder.read("/seen") == "of the host\n"
    assert "mnt" not in builder.files()


def test_add_host_and_network_none_work_in_commands(builder: Builder) -> None:
    dockerfile = (
        "FROM base\nRUN grep -c db.example /etc/hosts > /n\n"
        "RUN --network=none ! wget -q -T 2 -O - http://127.0.0.1:1/ 2> /none\n"
    )
    builder.ok(dockerfile, "--add-host", "db.example:10.9.8.7")
    assert builder.read("/n") == "1\n"
    assert "etc/hosts" not in builder.files()
    assert "not allowed" in builder.fails("FROM base\nRUN --security=insecure true\n")


def test_commands_are_on_the_network_of_the_build(builder: Builder) -> None:
    engine = builder.engine
    engine.ok("network", "create", "lab")
    serve = "mkdir /w && echo of the web > /w/f && exec httpd -f -p 80 -h /w"
    engine.ok("run", "-d", "--name", "web", "--network", "lab", "base", "sh", "-c", serve)
    get = "for i in $(seq 100); do wget -q -O - http://web/f && exit; sleep 0.1; done; exit 1"
    builder.ok(f"FROM base\nRUN ({get}) > /seen\n", "--network", "lab")
    assert builder.read("/seen") == "of the web\n"
    assert '"web"' in engine.ok("network", "inspect", "lab")
    assert "build-" not in engine.ok("network", "inspect", "lab")
    assert "bad address 'web'" in builder.fails("FROM base\nRUN wget http://web/f\n")
    assert "network nonesuch not found" in builder.fails("FROM base\n", "--network", "nonesuch")
    engine.ok("rm", "-f", "web")
    engine.ok("network", "rm", "lab")


class Files(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        body = b"downloaded\n"
        self.send_response(200 if self.path.startswith("/file") else 404)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("Last-Modified", "Wed, 21 Oct 2015 07:28:00 GMT")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Log nothing."""


def test_add_downloads_verifies_and_unpacks_files(builder: Builder) -> None:
    members = [images.directory("t"), images.file("t/f", "in", uid=7, mode=0o4755)]
    for name, pack in (("a.tar", bytes), ("b.tgz", gzip.compress)):
        builder.put(name, pack(images.tar(members)))
    builder.put("plain.gz", gzip.compress(b"no archive"))
    good = hashlib.sha256(b"downloaded\n").hexdigest()
    with registry.serving(Files) as port:
        url = f"http://127.0.0.1:{port}"
        builder.ok(
            f"FROM base\nADD {url}/file /got/\nADD --checksum=sha256:{good} {url}/file /named\n"
            "ADD a.tar /one/\nADD b.tgz plain.gz /two/\nADD --unpack=false a.tar /three/\n"
        )
        files = builder.files()
        assert builder.read("/got/file") == "downloaded\n"
        assert (files["named"].mode, files["named"].mtime) == (0o600, 1445412480)
        assert (files["one/t/f"].uid, files["one/t/f"].mode) == (7, 0o4755)
        assert {"two/t/f", "two/plain.gz", "three/a.tar"} <= files.keys()
        wrong = builder.fails(f"FROM base\nADD --checksum=sha256:{'0' * 64} {url}/file /\n")
        assert "digest mismatch" in wrong
        assert "404" in builder.fails(f"FROM base\nADD {url}/none /\n")


def test_a_context_may_come_from_standard_input(builder: Builder) -> None:
    engine = builder.engine
    tar = images.tar([images.file("Dockerfile", "FROM base\nCOPY f /\n"), images.file("f", "tar")])
    for data in (tar, gzip.compress(tar)):
        assert engine.call("build", "-t", "made", "-", stdin=data).returncode == 0
        assert builder.read("/f") == "tar"
    done = engine.call("build", "-t", "made", "-", stdin=b"FROM base\nRUN echo 1 > /one\n")
    assert done.returncode == 0, done.stderr
    assert builder.read("/one") == "1\n"
    builder.put("f", "dir")
    arguments = ("build", "-t", "made", "-f", "-", builder.context)
    assert engine.call(*arguments, stdin=b"FROM base\nCOPY f /\n").returncode == 0
    assert builder.read("/f") == "dir"


def test_named_contexts_are_sources_and_bases(builder: Builder, tmp_path: pathlib.Path) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "f").write_text("other")
    builder.ok(
        "FROM which\nCOPY --from=more f /\n",
        "--build-context", f"more={other}", "--build-context", "which=docker-image://base",
    )  # fmt: skip
    assert builder.read("/f") == "other"


def names_in(path: pathlib.Path) -> set[str]:
    with tarfile.open(path) as archive:
        return set(archive.getnames())


def test_a_build_writes_each_kind_of_output(builder: Builder, tmp_path: pathlib.Path) -> None:
    dockerfile = (
        "FROM base AS b\nRUN echo 1 > /one && ln /one /two\n"
        "FROM scratch\nCOPY --from=b /one /two /\n"
    )
    builder.ok(dockerfile, "-o", str(tmp_path / "out"))
    assert (tmp_path / "out/one").read_text() == "1\n"
    builder.ok(dockerfile, "-o", f"type=tar,dest={tmp_path / 'o.tar'}")
    assert names_in(tmp_path / "o.tar") == {"one", "two"}
    builder.ok(
        dockerfile,
        "-o",
        f"type=oci,dest={tmp_path / 'oci.tar'}",
        "--iidfile",
        str(tmp_path / "iid"),
    )
    assert "index.json" in names_in(tmp_path / "oci.tar")
    assert (tmp_path / "iid").read_text() == builder.inspect()["Id"]
    facts = tmp_path / "facts"
    done = builder.engine.call("build", "-q", "--metadata-file", facts, builder.context)
    assert done.stdout.decode().strip() == builder.inspect()["Id"]
    assert json.loads(facts.read_text())["containerimage.config.digest"] == builder.inspect()["Id"]
    raw = builder.engine.call("build", "--progress", "rawjson", builder.context).stderr
    assert any("vertexes" in json.loads(line) for line in raw.splitlines())


def test_squash_makes_one_layer_of_the_same_files(builder: Builder) -> None:
    dockerfile = (
        "FROM base\nRUN echo 1 > /a && mkdir -p /d/e && touch /d/e/f\nRUN rm -r /a /data /d/e && "
        "mkdir /data && echo new > /data/n\nRUN echo 2 > /b && ln /b /c\n"
    )
    builder.ok(dockerfile)
    plain = {name: (m.mode, m.uid, m.size, m.type) for name, m in builder.files().items()}
    builder.ok(dockerfile, "--squash")
    assert {n: (m.mode, m.uid, m.size, m.type) for n, m in builder.files().items()} == plain
    assert len(builder.inspect()["RootFS"]["Layers"]) == 2


def test_two_stores_build_the_same_image_with_source_date_epoch(
    builder: Builder, tmp_path: pathlib.Path
) -> None:
    builder.put("f", "1")
    builder.engine.environ["SOURCE_DATE_EPOCH"] = "1700000000"
    dockerfile = (
        "FROM base\nWORKDIR /w\nCOPY f .\nRUN date > /dev/null; mkdir -p a/b && touch a/b/c\n"
    )
    builder.ok(dockerfile)
    other = Sandbox(tmp_path / "second", builder.engine.environ)
    base_image(other, tmp_path)
    # The base must be the same image; a base that is made again differs.
    builder.engine.ok("save", "-o", tmp_path / "base.tar", "base")
    other.ok("load", "-i", tmp_path / "base.tar")
    again = Builder(other, builder.context)
    again.ok(dockerfile)
    assert again.inspect()["Id"] == builder.inspect()["Id"]
    assert builder.inspect()["Created"].startswith("2023-11-14T22:13:20")


def test_a_killed_build_continues_from_its_cache(builder: Builder) -> None:
    builder.put("Dockerfile", f"FROM base\nRUN echo 1 > /one\nRUN sleep {SLEEP}\n")
    engine = builder.engine
    command = engine.argv("build", "--progress", "plain", "-t", "made", builder.context)
    with subprocess.Popen(command, env=engine.environment(), stderr=subprocess.PIPE) as process:
        assert process.stderr is not None
        for line in process.stderr:
            if b"RUN sleep" in line:
                break
        until(lambda: _sleepers() != [])
        process.send_signal(signal.SIGKILL)
    shown = builder.ok("FROM base\nRUN echo 1 > /one\nRUN echo 2 > /two\n")
    assert "[2/3] RUN echo 1 > /one" in cached(shown)
    until(lambda: _sleepers() == [])
    engine.ok("system", "prune", "-f")
    assert list((engine.store / "tmp").iterdir()) == []
    assert "problem" not in engine.ok("system", "fsck")


def _sleepers() -> list[str]:
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        with contextlib.suppress(OSError):
            if SLEEP.encode() in path.read_bytes().split(b"\0"):
                found.append(path.parent.name)
    return found


@pytest.mark.usefixtures("online")
@pytest.mark.parametrize("kind", ["registry", "local", "inline"])
def test_an_empty_store_rebuilds_only_the_changed_step(
    builder: Builder, tmp_path: pathlib.Path, plain: registry.Server, kind: str
) -> None:
    cache = f"{plain.host}/cache-{kind}:c"
    to, from_ = {
        "registry": (f"type=registry,ref={cache},mode=max", f"type=registry,ref={cache}"),
        "local": (f"type=local,dest={tmp_path / 'c'}", f"type=local,src={tmp_path / 'c'}"),
        "inline": ("type=inline", cache),
    }[kind]
    steps = "FROM base\nRUN echo 1 > /one\nRUN echo 2 > /two\n"
    builder.ok(steps + "RUN echo old > /three\n", "--cache-to", to, "-t", cache)
    if kind == "inline":
        builder.engine.ok("push", cache)
    builder.engine.ok("save", "-o", tmp_path / "base.tar", "base")
    cold = Sandbox(tmp_path / "cold", builder.engine.environ)
    cold.ok("load", "-i", tmp_path / "base.tar")
    again = Builder(cold, builder.context)
    shown = again.ok(steps + "RUN echo new > /three\n", "--cache-from", from_)
    assert cached(shown)[1:] == ["[2/4] RUN echo 1 > /one", "[3/4] RUN echo 2 > /two"]
    assert again.read("/three") == "new\n"
    assert again.read("/one") == "1\n"
    gone = again.ok(steps, "--no-cache", "--cache-from", "type=local,src=/nowhere")
    assert cached(gone) == ["[1/3] FROM base"]


def test_builder_prune_leaves_images_whole(builder: Builder) -> None:
    builder.ok("FROM base\nRUN echo 1 > /one\n")
    builder.ok("FROM base\nRUN echo 2 > /two\n")
    engine = builder.engine
    assert len(engine.ok("builder", "prune", "-f").splitlines()) == 1, "steps of images are pruned"
    engine.ok("image", "prune", "-f")
    gone = engine.ok("builder", "prune", "-f").splitlines()
    assert len(gone) == 2, "the step of the untagged image stays"
    assert builder.read("/two") == "2\n"
    engine.ok("rmi", "-f", "made")
    shown = builder.ok("FROM base\nRUN echo 2 > /two\n")
    assert len(cached(shown)) == 2, "the cache is removed with the image"
    engine.ok("builder", "prune", "-af")
    assert builder.read("/two") == "2\n"
    assert cached(builder.ok("FROM base\nRUN echo 2 > /two\n")) == ["[1/2] FROM base"]
    assert "problem" not in engine.ok("system", "fsck")


def test_concurrent_builds_share_the_cache(builder: Builder) -> None:
    builder.put("Dockerfile", "FROM base\nRUN sleep 0.3; echo 1 > /one\nRUN echo 2 > /two\n")
    codes: list[int] = []

    def one(number: int) -> None:
        done = builder.engine.call("build", "-t", f"t{number}", builder.context)
        codes.append(done.returncode)

    threads = [threading.Thread(target=one, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert codes == [0, 0, 0]
    assert "problem" not in builder.engine.ok("system", "fsck")


def test_contexts_and_sources_may_come_from_git(builder: Builder, tmp_path: pathlib.Path) -> None:
    repository = tmp_path / "repo.git"
    repository.mkdir()

    def git(*words: str) -> None:
        identity = ("-c", "user.name=n", "-c", "user.email=e@e", "-c", "init.defaultBranch=main")
        subprocess.run(["git", *identity, *words], cwd=repository, check=True, capture_output=True)

    git("init", "-q")
    (repository / "sub").mkdir()
    (repository / "sub/Dockerfile").write_text("FROM base\nCOPY f /\n")
    (repository / "sub/f").write_text("one")
    git("add", ".")
    git("commit", "-qm", "1")
    git("tag", "v1")
    (repository / "sub/f").write_text("two")
    git("commit", "-qam", "2")
    git("update-server-info")

    class Repository(http.server.SimpleHTTPRequestHandler):
        def __init__(self, *arguments: object, **options: object) -> None:
            super().__init__(*arguments, directory=str(tmp_path / "served"), **options)  # type: ignore[arg-type]

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    subprocess.run(
        ["git", "clone", "-q", "--bare", str(repository), str(tmp_path / "served/repo.git")],
        check=True, capture_output=True,
    )  # fmt: skip
    subprocess.run(["git", "update-server-info"], cwd=tmp_path / "served/repo.git", check=True)
    with registry.serving(Repository) as port:
        url = f"http://127.0.0.1:{port}/repo.git"
        done = builder.engine.call("build", "-t", "made", f"{url}#v1:sub")
        assert done.returncode == 0, done.stderr.decode()
        assert builder.read("/f") == "one"
        builder.ok(f"FROM base\nADD {url}#main /src/\n")
        assert builder.read("/src/sub/f") == "two"
        assert "src/.git" not in builder.files()
        tar = images.tar([images.file("Dockerfile", "FROM base\nRUN echo web > /web\n")])
        (tmp_path / "served/context.tar").write_bytes(tar)
        address = f"http://127.0.0.1:{port}/context.tar"
        assert builder.engine.call("build", "-t", "made", address).returncode == 0
        assert builder.read("/web") == "web\n"


def test_a_check_builds_nothing_and_prints_its_findings(builder: Builder) -> None:
    builder.put("Dockerfile", "FROM base\nCMD echo hi\n")
    done = builder.engine.call("build", "--check", builder.context)
    assert done.returncode == 1
    assert b"JSONArgsRecommended" in done.stdout
    builder.put("Dockerfile", 'FROM base\nCMD ["echo", "hi"]\n')
    done = builder.engine.call("build", "--check", builder.context)
    assert (done.returncode, done.stdout) == (0, b"Check complete, no warnings found.\n")


def test_unsupported_flags_are_refused_by_name(builder: Builder) -> None:
    builder.put("Dockerfile", "FROM base\n")
    for flag in (["--provenance=true"], ["--sbom", "true"], ["--attest", "type=sbom"]):
        done = builder.engine.call("build", *flag, builder.context)
        assert done.returncode == 1
        assert b"no attestations are made" in done.stderr
    wants_none = ["--provenance=false", "--attest=type=sbom,disabled=true"]
    builder.engine.ok("build", *wants_none, builder.context)
    done = builder.engine.call("build", "--push", builder.context)
    assert (done.returncode, b"tag is needed when pushing" in done.stderr) == (1, True)
    assert builder.engine.call("build", "--no-such-flag", ".").returncode == 125
    shown = builder.fails("FROM nothing-of-this-name\n")
    assert "nothing-of-this-name" in shown
