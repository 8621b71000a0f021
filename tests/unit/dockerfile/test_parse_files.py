# SPDX-License-Identifier: MIT
"""Parsing of RUN, COPY and ADD with their here-documents."""

from __future__ import annotations

import pytest

from sandbox.dockerfile import instructions as ins
from tests.unit.dockerfile.parsed import fields


@pytest.mark.parametrize(
    ("text", "script"),
    [
        ("RUN <<E\na\nb\nE", "a\nb\n"),
        ("RUN <<-E\n\ta\n\tE", "a\n"),
        ("RUN cat <<E > /x\na\nE", "cat <<E > /x\na\nE"),
        ("RUN cat <<-E\n\ta\n\tE", "cat <<-E\n\ta\nE"),
        ("RUN <<E python3\nprint(1)\nE", "<<E python3\nprint(1)\nE"),
        ("RUN cat <<A <<B\na\nA\nb\nB", "cat <<A <<B\na\nA\nb\nB"),
    ],
)
def test_the_shell_gets_here_documents_as_its_script(text: str, script: str) -> None:
    assert fields(text, "command", "program") == (ins.Command((script,), True), None)


def test_a_here_document_with_a_shebang_is_a_program() -> None:
    command, program = fields("RUN <<-E\n\t#!/bin/x\n\ty\nE", "command", "program")
    assert command == ins.Command(("/dev/pipes/E",), True)
    assert isinstance(program, ins.Heredoc)
    assert program.content == "#!/bin/x\ny\n"


def test_run_has_flags() -> None:
    text = "RUN --network=none --security=insecure --device=a --mount=type=tmpfs,target=/t x"
    network, security, devices, mounts = fields(text, "network", "security", "devices", "mounts")
    assert (network, security, devices) == ("none", "insecure", ("a",))
    assert mounts == (ins.Mount(kind=ins.MountKind.TMPFS, target="/t"),)


def test_flags_end_at_the_first_other_word() -> None:
    assert fields("RUN --network=none -- --x", "command") == (ins.Command(("--x",), True),)
    assert fields("RUN x --network=none", "network") == ("default",)
    assert fields('RUN --mount=type=bind,target="/a b" x', "mount_texts") == (
        ("type=bind,target=/a b",),
    )


@pytest.mark.parametrize(
    ("text", "sources", "destination"),
    [
        ("COPY a /b", ("a",), "/b"),
        ("COPY a b\tc /d/", ("a", "b", "c"), "/d/"),
        ('COPY ["a b", "/c d/"]', ("a b",), "/c d/"),
        ("COPY $a ${b:-c} .", ("$a", "${b:-c}"), "."),
        ("COPY [[]a].txt /x", ("[[]a].txt",), "/x"),
        ('COPY "a b" /x', ('"a', 'b"'), "/x"),
        ("COPY <<A b /c\nx\nA", ("b",), "/c"),
    ],
)
def test_copy_has_sources_and_a_destination(text: str, sources: object, destination: str) -> None:
    assert fields(text, "sources", "destination") == (sources, destination)


def test_copy_and_add_have_flags() -> None:
    text = "COPY --from=0 --chown=a:b --chmod=u=rwX --link --parents --exclude=x --exclude=y a b"
    names = ("from_", "chown", "chmod", "link", "parents", "exclude")
    assert fields(text, *names) == ("0", "a:b", "u=rwX", True, True, ("x", "y"))
    text = "ADD --checksum=sha256:0 --keep-git-dir --unpack=false --link=FALSE a b"
    names = ("checksum", "keep_git_dir", "unpack", "link")
    assert fields(text, *names) == ("sha256:0", True, False, False)
    assert fields("ADD a b", "keep_git_dir", "unpack") == (None, None)


def test_copied_here_documents_become_files() -> None:
    (contents,) = fields("COPY <<-A <<'b.txt' /d/\n\tx\n\tA\n$y\nb.txt", "contents")
    assert contents == (
        ins.Heredoc("A", "x\n", strip_tabs=True),
        ins.Heredoc("b.txt", "$y\n", expand=False),
    )
