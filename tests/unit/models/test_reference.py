# SPDX-License-Identifier: MIT
from __future__ import annotations

import pytest

from sandbox.errors import ReferenceSyntaxError
from sandbox.models.reference import id_prefix, image_reference, parse_reference

SHA = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "full", "familiar"),
    [
        ("ubuntu", "docker.io/library/ubuntu", "ubuntu"),
        ("ubuntu:14.04", "docker.io/library/ubuntu:14.04", "ubuntu:14.04"),
        ("user/app", "docker.io/user/app", "user/app"),
        ("docker.io/ubuntu", "docker.io/library/ubuntu", "ubuntu"),
        ("index.docker.io/library/ubuntu", "docker.io/library/ubuntu", "ubuntu"),
        ("localhost/app", "localhost/app", "localhost/app"),
        ("localhost:5000/app:1", "localhost:5000/app:1", "localhost:5000/app:1"),
        ("reg.io/a/b/c", "reg.io/a/b/c", "reg.io/a/b/c"),
        ("REG/app", "REG/app", "REG/app"),
        ("[::1]:5000/app", "[::1]:5000/app", "[::1]:5000/app"),
        (f"app@{SHA}", f"docker.io/library/app@{SHA}", f"app@{SHA}"),
        (f"a/b:c@{SHA}", f"docker.io/a/b:c@{SHA}", f"a/b:c@{SHA}"),
        ("a__b/c--d.e_f", "docker.io/a__b/c--d.e_f", "a__b/c--d.e_f"),
        ("test:5000", "docker.io/library/test:5000", "test:5000"),
    ],
)
def test_names_mean_the_same_as_in_docker(text: str, full: str, familiar: str) -> None:
    reference = parse_reference(text)
    assert str(reference) == full
    assert reference.familiar == familiar


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "invalid reference format"),
        ("Ubuntu", "repository name (library/Ubuntu) must be lowercase"),
        ("user/App:1", "repository name (user/App) must be lowercase"),
        ("a" * 64, "cannot specify 64-byte hexadecimal strings"),
        ("a:", "invalid reference format"),
        ("a:-b", "invalid reference format"),
        ("a:" + "t" * 129, "invalid reference format"),
        ("a///b", "invalid reference format"),
        ("-a", "invalid reference format"),
        ("a b", "invalid reference format"),
        ("a\n", "invalid reference format"),
        ("..", "invalid reference format"),
        ("a/../b", "invalid reference format"),
        ("http://x/y", "invalid reference format"),
        ("a@sha256:12", "invalid reference format"),
        ("a@sha256:" + "b" * 40, "invalid checksum digest length"),
        ("a@md5:" + "b" * 32, "unsupported digest algorithm"),
        ("a" * 250 + "/" + "b" * 10, "must not be more than 255 characters"),
    ],
)
def test_an_invalid_name_gives_dockers_error_message(text: str, message: str) -> None:
    with pytest.raises(ReferenceSyntaxError) as error:
        parse_reference(text)
    assert message in error.value.message


def test_only_the_name_host_is_reserved() -> None:
    assert parse_reference("host").is_host
    assert parse_reference("host:latest").is_host
    assert not parse_reference("me/host").is_host
    assert not parse_reference("localhost/host").is_host


def test_no_tag_means_latest_unless_there_is_a_digest() -> None:
    assert parse_reference("a").with_default_tag().tag == "latest"
    assert parse_reference(f"a@{SHA}").with_default_tag().tag is None


def test_ids_and_id_prefixes_are_distinguished_from_names() -> None:
    assert id_prefix("sha256:ABC") is None
    assert id_prefix("abcg") is None
    assert image_reference("a" * 64) is None
    assert image_reference("sha256:abc") is None
    assert image_reference("abc") == parse_reference("abc")
