# SPDX-License-Identifier: MIT
"""The parse tree: the shape of each line, before its instruction is checked."""

from __future__ import annotations

import pytest

from sandbox.dockerfile.errors import DockerfileError
from sandbox.dockerfile.parse_tree import tree


@pytest.mark.parametrize(
    ("line", "printed"),
    [
        ("FROM a AS b", 'from "a" "AS" "b"'),
        ("env A=1 B='x y'", 'env "A" "1" "=" "B" "\'x y\'" "="'),
        ("LABEL a b c", 'label "a" "b c" ""'),
        ("ARG a b=c", 'arg "a" "b=c"'),
        ("RUN  echo  a ", 'run "echo  a"'),
        ('CMD [ "a", "b" ]', 'cmd "a" "b"'),
        ('CMD ["a"] # why', 'cmd "[\\"a\\"] # why"'),
        ('CMD ["\\b\\u0000\\u007f\\u0085♥"]', 'cmd "\\b\\x00\\x7f\\u0085♥"'),
        ("CMD ['a']", "cmd \"['a']\""),
        ("CMD []", "cmd"),
        ('COPY --chown=a --link x "y z" /', 'copy ["--chown=a" "--link"] "x" "\\"y" "z\\"" "/"'),
        ('ADD ["a b", "/c"]', 'add "a b" "/c"'),
        ("VOLUME /a /b", 'volume "/a" "/b"'),
        ("EXPOSE 80  90/udp", 'expose "80" "90/udp"'),
        ("USER a b", 'user "a b"'),
        ("HEALTHCHECK --retries=2 CMD a b", 'healthcheck ["--retries=2"] "CMD" "a b"'),
        ('HEALTHCHECK CMD ["a", "b"]', 'healthcheck "CMD" "a" "b"'),
        ("HEALTHCHECK CMD", 'healthcheck "CMD"'),
        ("HEALTHCHECK", "healthcheck"),
        ("ONBUILD RUN a b", 'onbuild (run "a b")'),
        ("ONBUILD ONBUILD ENV a=b", 'onbuild (onbuild (env "a" "b" "="))'),
        ("ONBUILD", "onbuild"),
        ("RUN --no-such-flag=1 x", 'run ["--no-such-flag=1"] "x"'),
        ("NOSUCH a b", "nosuch"),
        ("RUN \u00a0--mount=x y", 'run "--mount=x y"'),
        ("HEALTHCHECK CMD\u3000x", 'healthcheck "CMD\\u3000x"'),
    ],
)
def test_a_line_is_split_into_words(line: str, printed: str) -> None:
    (node,) = tree(line.encode())
    assert str(node.words) == printed


def test_a_node_knows_its_lines_and_its_here_documents() -> None:
    first, second = tree(b"# c\nRUN a \\\n  b\nCOPY <<E /\nx\nE\n")
    assert (str(first.span), first.original) == ("2-3", "RUN a   b")
    assert (str(second.span), second.heredocs[0].content) == ("4-6", "x\n")


@pytest.mark.parametrize(
    "line",
    ["ENV PATH", "ENV a=b c", "LABEL a", 'CMD ["a", ["b"]]', "ONBUILD ENV a", "ONBUILD CMD [1]"],
)
def test_a_line_that_cannot_be_split_is_refused_with_its_number(line: str) -> None:
    with pytest.raises(DockerfileError, match=r"^Dockerfile:2: "):
        tree(f"FROM a\n{line}\n".encode())
