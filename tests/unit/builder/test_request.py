# SPDX-License-Identifier: MIT
"""The texts of a build's options."""

from __future__ import annotations

import pytest

from sandbox.builder.request import (
    Output,
    RemoteCache,
    Secret,
    SshAgent,
    parse_annotation,
    parse_cache,
    parse_fields,
    parse_host,
    parse_output,
    parse_secret,
    parse_ssh,
)
from sandbox.errors import SandboxError, Unsupported, UsageError


def test_fields_may_be_quoted_as_in_csv() -> None:
    assert parse_fields('"a=b,c",D=e', "--x") == {"a": "b,c", "d": "e"}
    for text in ("a", '"a', "a=b\nc=d"):
        with pytest.raises(UsageError):
            parse_fields(text, "--x")


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("id=a", Secret("a", path="a")),
        ("id=a,src=/f", Secret("a", path="/f")),
        ("source=/f", Secret("/f", path="/f")),
        ("id=TOKEN", Secret("TOKEN", value=b"x")),
        ("id=a,env=TOKEN", Secret("a", value=b"x")),
        ("type=env,id=TOKEN", Secret("TOKEN", value=b"x")),
        ("type=file,id=TOKEN", Secret("TOKEN", path="TOKEN")),
    ],
)
def test_a_secret_is_a_file_or_a_variable(text: str, secret: Secret) -> None:
    assert parse_secret(text, {"TOKEN": "x"}) == secret


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("id=a,mode=1", "unexpected key 'mode'"),
        ("type=vault,id=a", "unsupported secret type"),
        ("id=a,env=ABSENT", "ABSENT is not set"),
    ],
)
def test_a_secret_that_is_none_is_refused(text: str, words: str) -> None:
    with pytest.raises(UsageError, match=words):
        parse_secret(text, {})


def test_an_agent_is_the_users_or_a_named_socket() -> None:
    assert parse_ssh("default", {"SSH_AUTH_SOCK": "/s"}) == SshAgent("default", "/s")
    assert parse_ssh("a=/t", {}) == SshAgent("a", "/t")
    with pytest.raises(UsageError, match="SSH_AUTH_SOCK"):
        parse_ssh("default", {})


@pytest.mark.parametrize("text", ["", "a", "a:nope", ":1.2.3.4", "a=[::1"])
def test_a_host_that_is_none_is_refused(text: str) -> None:
    if text == "a=[::1":
        assert parse_host(text) == ("a", "::1")
        return
    with pytest.raises(UsageError, match="add-host"):
        parse_host(text)


@pytest.mark.parametrize(
    ("text", "output"),
    [
        ("type=docker", Output("docker")),
        ("type=oci", Output("oci", "-")),
        ("type=oci,dest=x.tar", Output("oci", "x.tar")),
        ("type=local,dest=out", Output("local", "out")),
        ("type=image,name=a,push=true", Output("image", names=("a",), push=True)),
        ('type=image,"name=a,b"', Output("image", names=("a", "b"))),
        ("type=registry", Output("image", push=True)),
        (
            "type=image,annotation.a.b=c",
            Output("image", annotations={"a.b": "c"}),
        ),
        ("type=image,compression=gzip", Output("image")),
    ],
)
def test_an_output_is_read_as_buildx_reads_it(text: str, output: Output) -> None:
    assert parse_output(text) == output


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("dest=x", "type is required"),
        ("type=nope", "exporter 'nope' could not be found"),
        ("type=local", "dest is required"),
        ("type=image,compression=zstd", "compression=zstd in --output is not supported"),
        ("type=image,color=red", "unknown key 'color'"),
        ("type=image,push=perhaps", "non-bool value"),
        ("type=tar,name=a,annotation.x=y", "unknown key"),
    ],
)
def test_an_output_that_cannot_be_is_refused(text: str, words: str) -> None:
    with pytest.raises(SandboxError, match=words):
        parse_output(text)


def test_annotations_are_of_the_manifest() -> None:
    assert parse_annotation("a=b=c") == ("a", "b=c")
    for text in ("index:a=b", "manifest-descriptor:a=b", "manifest[linux/amd64]:a=b"):
        with pytest.raises(Unsupported):
            parse_annotation(text)
    for text in ("a", "=b", "nope:a=b"):
        with pytest.raises(UsageError):
            parse_annotation(text)


def test_a_cache_is_a_reference_or_says_what_it_is() -> None:
    assert parse_cache("r.io/x", "--cache-from") == RemoteCache("registry", {"ref": "r.io/x"})
    assert parse_cache("type=local,src=d", "--cache-from") == RemoteCache("local", {"src": "d"})
    assert parse_cache("type=inline", "--cache-to") == RemoteCache("inline", {})


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("type=gha", "cache of type 'gha'"),
        ("type=registry", "requires ref"),
        ("type=local,src=d", "requires dest"),
        ("type=inline,color=red", "unknown key 'color'"),
        ("type=registry,ref=a,mode=all", "invalid cache mode"),
        ("type=registry,ref=a,compression=zstd", "compression=zstd"),
    ],
)
def test_a_cache_that_cannot_be_is_refused(text: str, words: str) -> None:
    with pytest.raises(SandboxError, match=words):
        parse_cache(text, "--cache-to")
