# SPDX-License-Identifier: MIT
"""Any input gives a Dockerfile or a DockerfileError, and no other exception."""

from __future__ import annotations

import contextlib

from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox.dockerfile.dockerignore import IgnoreRules
from sandbox.dockerfile.errors import DockerfileError, LanguageError
from sandbox.dockerfile.expand import Style, expansion
from sandbox.dockerfile.lint import lint
from sandbox.dockerfile.parser import parse
from sandbox.dockerfile.plan import Wanted
from sandbox.dockerfile.planner import plan
from sandbox.errors import UsageError

WORDS = [
    *("FROM", "RUN", "COPY", "ADD", "ENV", "ARG", "LABEL", "ONBUILD", "SHELL", "CMD", "EXPOSE"),
    *("HEALTHCHECK", "VOLUME", "USER", "WORKDIR", "STOPSIGNAL", "MAINTAINER", "ENTRYPOINT"),
    *("scratch", "AS", "a", "b:1", "--from=a", "<<E", "E", '<<-"E"', "[", "]", '"x"', ",", "#"),
    *("`", "\\", "=", "'", '"', "--mount=type=cache,target=/a", "--platform=$P", "$a", "${a:-b}"),
    *("${", "}", "--", "--link", "80/TcP", "1:2:3", "NONE", "--retries=3", "--interval=1m", "é"),
    *("..", "/", "0"),
]
GLUE = [" ", "\n", "\\\n", "# escape=`\n", "\nE\n", "\t", "\r\n", "\0", "\ufeff"]
PIECES = st.sampled_from([*WORDS, *GLUE])
DOCKERFILES = st.lists(PIECES, max_size=30).map(lambda parts: "".join(parts).encode())
LIKELY = st.lists(PIECES, max_size=12).map(lambda p: b"FROM scratch AS a\n" + " ".join(p).encode())


def use(content: bytes) -> None:
    dockerfile = parse(content)
    assert dockerfile.stages
    for stage in dockerfile.stages:
        for instruction in (stage.base, *stage.instructions):
            assert 1 <= instruction.span.first <= instruction.span.last
    with contextlib.suppress(UsageError):
        plan(dockerfile, Wanted())
    with contextlib.suppress(UsageError):
        lint(dockerfile, Wanted())


@given(st.one_of(st.binary(max_size=200), DOCKERFILES, LIKELY))
@settings(max_examples=200, deadline=None)
def test_any_bytes_give_a_dockerfile_or_an_error(content: bytes) -> None:
    with contextlib.suppress(DockerfileError):
        use(content)


@given(
    st.text("$ABx{}:-+?#%/\\'\"`<* \n0", max_size=40),
    st.dictionaries(st.sampled_from(["A", "B", "x"]), st.text("ab*/\n", max_size=8)),
    st.builds(Style, st.sampled_from("\\`"), *[st.booleans()] * 4),
)
@settings(max_examples=200, deadline=None)
def test_any_word_is_expanded_or_refused(word: str, known: dict[str, str], style: Style) -> None:
    with contextlib.suppress(LanguageError):
        found = expansion(word, known, style)
        assert found.used <= set(known)
        assert not found.unknown & set(known)


@given(st.text("ab/*?[]^-!\\.#+( \n", max_size=30), st.text("ab/.", min_size=1, max_size=12))
@settings(max_examples=200, deadline=None)
def test_any_ignore_patterns_are_parsed_or_refused(patterns: str, path: str) -> None:
    with contextlib.suppress(LanguageError):
        rules = IgnoreRules.parse(patterns.encode())
        rules.excludes(path)
        rules.skips(path, rules.verdict(path))
