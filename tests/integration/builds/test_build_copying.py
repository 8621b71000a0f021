# SPDX-License-Identifier: MIT
"""COPY and ADD with flags that buildah does not know, as described in Docker's documentation."""

from __future__ import annotations

import hashlib
import http.server
import os
import pathlib
import socket

import pytest

from tests.harness import registry
from tests.harness.builds import Builder, cached

pytestmark = pytest.mark.guest

FILES = (
    "x/a.txt",
    "y/a.txt",
    "y/b.txt",
    "y/z/c.txt",
    "y/z/d.md",
    "home.txt",
    "hometown",
    "dir/k.md",
)


# Each case has an instruction and the expected content of /o.
CASES: dict[str, tuple[str, set[str]]] = {
    "no parents": ("COPY x/a.txt y/b.txt /o/", {"a.txt", "b.txt"}),
    "parents": ("COPY --parents x/a.txt y/a.txt /o/", {"x", "x/a.txt", "y", "y/a.txt"}),
    "parents with dots": (
        "COPY --parents ./x/a.txt ./y/a.txt /o/",
        {"x", "x/a.txt", "y", "y/a.txt"},
    ),
    "parents and a pivot": ("COPY --parents x/./a.txt y/./*.txt /o/", {"a.txt", "b.txt"}),
    "parents and a deep pivot": ("COPY --parents y/./z/*.txt /o/", {"z", "z/c.txt"}),
    "parents of a directory": ("COPY --parents y/z /o/", {"y", "y/z", "y/z/c.txt", "y/z/d.md"}),
    "parents and two stars": (
        "COPY --parents **/*.md /o/",
        {"y", "y/z", "y/z/d.md", "dir", "dir/k.md"},
    ),
    "parents and two stars below": (
        "COPY --parents y/**/*.txt /o/",
        {"y", "y/a.txt", "y/b.txt", "y/z", "y/z/c.txt"},
    ),
    "parents, a pivot and two stars": (
        "COPY --parents ./y/./**/*.txt /o/",
        {"a.txt", "b.txt", "z", "z/c.txt"},
    ),
    "parents, a pattern before the pivot and two stars behind it": (
        "COPY --parents [xy]*/./**/*.txt /o/",
        {"a.txt", "b.txt", "z", "z/c.txt"},
    ),
    "exclude of a pattern": ("COPY --exclude=*.txt hom* /o/", {"hometown"}),
    "exclude below": ("COPY --exclude=**/*.txt y /o/", {"z", "z/d.md"}),
    "exclude a directory": ("COPY --exclude=z y /o/", {"a.txt", "b.txt"}),
    "exclude twice": (
        "COPY --exclude=*.txt --exclude=z/*.md y /o/",
        {"z", "z/c.txt"},
    ),
    "exclude and keep": (
        "COPY --exclude=*.txt --exclude=!b.txt --exclude=z y /o/",
        {"b.txt"},
    ),
    "exclude with parents": (
        "COPY --parents --exclude=**/*.md y/z /o/",
        {"y", "y/z", "y/z/c.txt"},
    ),
    "add with exclude": ("ADD --exclude=*.md dir hometown /o/", {"hometown"}),
    "link": ("COPY --link x/a.txt /o/sub/", {"sub", "sub/a.txt"}),
    "link of a directory": ("COPY --link x /o/", {"a.txt"}),
    "heredoc": ("COPY <<one /o/name\ntext $V\none", {"name"}),
    "heredocs": ("COPY <<one <<two.txt /o/\n1\none\n2\ntwo.txt", {"one", "two.txt"}),
    "heredoc of add": ("ADD <<one /o/\n1\none", {"one"}),
    "heredoc and a file": ("COPY <<one x/a.txt /o/\n1\none", {"one", "a.txt"}),
}


@pytest.fixture
def builder(builder: Builder) -> Builder:
    for name in FILES:
        builder.put(name, f"{name}\n")
    return builder


@pytest.mark.parametrize("name", CASES)
def test_copy_and_add_copy_the_expected_files(
    name: str, builder: Builder, tmp_path: pathlib.Path
) -> None:
    instruction, expected = CASES[name]
    builder.put("Dockerfile", f"FROM scratch\n{instruction}\n")
    builder.engine.ok("build", "-q", "-o", tmp_path / "out", builder.context)
    top = tmp_path / "out/o"
    assert {str(path.relative_to(top)) for path in top.rglob("*")} == expected


def test_a_heredoc_is_expanded_unless_its_name_is_quoted(builder: Builder) -> None:
    builder.ok(
        "FROM base\nARG V=value\nCOPY <<a <<'b' <<-c /o/\n$V \\$V\na\n$V\nb\n"
        "\tno tab\n\tc\nCOPY --chmod=0710 --chown=3:4 <<d /o/\n1\nd\n"
    )
    assert builder.read("/o/a") == "value $V\n"
    assert builder.read("/o/b") == "$V\n"
    assert builder.read("/o/c") == "no tab\n"
    made = builder.files()["o/d"]
    assert (made.mode, made.uid, made.gid) == (0o710, 3, 4)
    assert builder.files()["o/a"].mode == 0o644


def test_copy_link_does_not_depend_on_the_layers_below(builder: Builder) -> None:
    steps = "COPY --link x/a.txt /link/\n"
    builder.ok("FROM base\nRUN echo 1 > /one\n" + steps)
    shown = builder.ok("FROM base\nRUN echo 2 > /two\n" + steps)
    assert "[3/3] COPY --link x/a.txt /link/" in cached(shown)
    # Without --link a symbolic link at the destination is followed; with it, it is replaced.
    builder.ok("FROM base\nRUN ln -s /data /link\n" + steps)
    assert builder.files()["link"].isdir()
    assert "data/a.txt" not in builder.files()
    builder.ok("FROM base\nRUN ln -s /data /link\nCOPY x/a.txt /link/\n")
    assert "data/a.txt" in builder.files()


def test_chmod_accepts_symbolic_modes(builder: Builder) -> None:
    builder.put("p", "1", 0o604)
    builder.put("t/p", "1", 0o640)
    builder.ok(
        "FROM base\nCOPY --chmod=u=rwx,g+w,o-r p /1\nCOPY --chmod=a+x p /2\n"
        "COPY --chmod=go=u p /3\nCOPY --chmod=u+s,g+s p /4\nCOPY --chmod=a=rX t /5\n"
    )
    files = builder.files()
    assert [files[str(n)].mode for n in (1, 2, 3, 4)] == [0o720, 0o715, 0o666, 0o6604]
    assert (files["5"].mode, files["5/p"].mode) == (0o755, 0o444)


def test_a_directory_that_copy_makes_belongs_to_root(builder: Builder) -> None:
    made = "mkdir -p /d/sub && touch /d/sub/f && chown -R 100:200 /d && chmod 700 /d"
    builder.ok(
        f"FROM base AS one\nRUN {made}\nFROM base\nCOPY --from=one /d /new\n"
        "COPY --from=one --chown=3:4 /d/. /owned\nCOPY --from=one --chmod=2711 /d /a/open\n"
        "RUN mkdir -m 0711 /there && chown 5:6 /there\nCOPY --from=one /d /there\n"
        "COPY --chmod=770 x/a.txt /p/sub/f\n"
    )
    files = builder.files()
    shown = {name: (files[name].uid, files[name].gid, files[name].mode) for name in files}
    assert shown["new"] == (0, 0, 0o755)
    assert shown["new/sub"] == shown["there/sub"] == (100, 200, 0o755)
    assert (shown["owned"], shown["owned/sub"]) == ((3, 4, 0o755), (3, 4, 0o755))
    assert shown["a"] == shown["a/open"] == (0, 0, 0o711)
    assert shown["a/open/sub"] == (100, 200, 0o2711)
    assert shown["there"] == (5, 6, 0o711)
    assert shown["p"] == shown["p/sub"] == shown["p/sub/f"] == (0, 0, 0o770)


def serving_body(body: bytes) -> type[http.server.BaseHTTPRequestHandler]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Log nothing."""

    return Handler


def test_a_download_gets_the_same_name_as_with_buildkit(builder: Builder) -> None:
    with registry.serving(serving_body(b"x")) as port:
        url = f"http://127.0.0.1:{port}"
        builder.ok(f"FROM base\nADD {url}/ {url}/d/e/ {url}/a%20b?q=1 /got/\nADD {url} /top/\n")
    names = {name for name in builder.files() if name.startswith(("got/", "top/"))}
    assert names == {"got/__unnamed__", "got/e", "got/a b", "top/__unnamed__"}


def test_a_socket_in_the_context_becomes_an_empty_file(builder: Builder) -> None:
    folder = os.open(builder.context, os.O_PATH)  # sun_path only holds 107 bytes
    with socket.socket(socket.AF_UNIX) as one:
        one.bind(f"/proc/self/fd/{folder}/s")
        os.close(folder)
        (builder.context / "s").chmod(0o640)
        builder.ok("FROM base\nCOPY . /c/\nADD s /s\n")
    files = builder.files()
    found = [(files[name].isreg(), files[name].size, files[name].mode) for name in ("c/s", "s")]
    assert found == [(True, 0, 0o640)] * 2


def test_a_checksum_is_verified_and_changed_content_runs_the_step_again(builder: Builder) -> None:
    digest = f"sha256:{hashlib.sha256(b'one').hexdigest()}"
    text = "FROM base\nADD --checksum={} http://127.0.0.1:{}/file /got\n"
    with registry.serving(serving_body(b"one")) as port:
        builder.ok(text.format(digest, port))
        assert builder.read("/got") == "one"
        assert builder.files()["got"].mode == 0o600
        upper = builder.fails(text.format("sha256:" + "A" * 64, port))
        assert "Dockerfile:2" in upper
        assert "Dockerfile:2" in builder.fails(text.format("md5:00", port))
        plain = f"FROM base\nADD http://127.0.0.1:{port}/file /got\n"
        builder.ok(plain)
        assert len(cached(builder.ok(plain))) == 2
    with registry.serving(serving_body(b"two")) as port:
        assert "digest mismatch" in builder.fails(text.format(digest, port))
    assert "Dockerfile:2" in builder.fails(f"FROM base\nADD --checksum={digest} home.txt /\n")


def test_a_missing_source_is_an_error_but_a_pattern_without_matches_is_not(
    builder: Builder,
) -> None:
    for instruction in ("COPY --parents x/none /", "COPY none x/a.txt /o/", "ADD none /"):
        assert 'none": not found' in builder.fails(f"FROM base\n{instruction}\n")
    builder.ok("FROM base\nCOPY x/a.txt none* /o/\nCOPY --parents **/none* /o/\n")
    assert {name for name in builder.files() if name.startswith("o/")} == {"o/a.txt"}
