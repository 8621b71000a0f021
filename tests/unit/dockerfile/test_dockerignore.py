# SPDX-License-Identifier: MIT
"""The files of a context that .dockerignore excludes."""

from __future__ import annotations

import pytest

from sandbox.dockerfile.dockerignore import IgnoreRules, ignore_file_names, read_patterns
from sandbox.dockerfile.errors import LanguageError


def excluded(patterns: list[str], path: str) -> bool:
    return IgnoreRules.of(patterns).excludes(path)


@pytest.mark.parametrize(
    ("pattern", "path", "expected"),
    [
        ("**", "file", True),
        ("**/", "dir/file", True),
        ("**/**", "dir/file", True),
        ("dir/**", "dir/file", True),
        ("dir/**", "dir/dir2/file", True),
        ("abc/**", "abc", False),
        ("**/dir", "dir", True),
        ("**/dir", "dir/file", True),
        ("**/dir2/*", "dir/dir2/file", True),
        ("**/dir2/*", "dir/dir2", False),
        ("**/dir2/**", "dir/dir2/dir3/file", True),
        ("**file", "dir/file", True),
        ("**file", "dir/xfile", True),
        ("**/file", "dir/dir/file", True),
        ("**/file", "dir/xfile", False),
        ("**/file*txt", "dir/dir/file.txt", True),
        ("**/**/*.txt", "file.txt", True),
        ("**/**/*.txt2", "dir/file.txt", False),
        ("a**/*.txt", "a/dir/dir/file.txt", True),
        ("a/*.txt", "a/dir/file.txt", False),
        ("a/*.txt", "a/file.txt", True),
        ("a/*.txt**", "a/file.txt", True),
        ("*.txt", "a/file.txt", False),
        ("foo", "a/foo", False),
        ("foo", "foo/a/b", True),
        ("foo/", "foo/a", True),
        ("/foo", "foo", False),
        ("a[b-d]e", "ace", True),
        ("a[b-d]e", "aae", False),
        ("a[^b-d]e", "aze", True),
        ("ab[^c]", "abc", False),
        ("[\\]a]", "]", True),
        ("[\\-x]", "-", True),
        ("[a-ζ]*", "β", True),
        ("a?b", "a☺b", True),
        ("a?b", "a/b", False),
        ("a*b", "a/b", False),
        ("a\\*b", "a*b", True),
        ("a\\*b", "ab", False),
        ("a\\\\", "a\\", True),
        (".*", ".foo", True),
        (".*", "foo", False),
        ("abc.def", "abcZdef", False),
        ("**/.foo", "bar.foo", False),
        ("a(b)c/def", "a(b)c/def", True),
        ("a.|)$(}+{bc", "a.|)$(}+{bc", True),
        ("a*b?c*x", "abxbbxdbxebxczzx", True),
        ("dist/*.whl", "dist/p-2.4.0rc3.dev36+g08-py3-none-any.whl", True),
        ("./foo/../bar", "bar", True),
        ("*", ".", False),
        (".", "a", False),
    ],
)
def test_a_pattern_matches_as_in_docker(pattern: str, path: str, expected: bool) -> None:
    assert excluded([pattern], path) == expected


@pytest.mark.parametrize(
    ("patterns", "path", "expected"),
    [
        (["*.go", "!a.go"], "a.go", False),
        (["!a.go", "*.go"], "a.go", True),
        (["docs", "!docs/README.md"], "docs/README.md", False),
        (["docs", "!docs/README.md"], "docs/other", True),
        (["docs/*", "!docs/README.md"], "docs/README.md", False),
        (["**", "!util/web"], "util/web/foo", False),
        (["**", "!util/web", "util/web/foo"], "util/web/foo", True),
        (["*", "!src"], "src/a/b", False),
        (["*", "!src/a"], "src/b", True),
        (["*.md", "!README*.md", "README-secret.md"], "README-secret.md", True),
        (["*.md", "!README*.md", "README-secret.md"], "README-open.md", False),
    ],
)
def test_the_last_line_that_matches_wins(patterns: list[str], path: str, expected: bool) -> None:
    assert excluded(patterns, path) == expected


@pytest.mark.parametrize(
    "pattern", ["[", "[^", "[^bc", "a[", "[]a]", "[-]", "[x-]", "[-x]", "[a-b-c]", "\\", "!"]
)
def test_an_invalid_pattern_is_refused(pattern: str) -> None:
    with pytest.raises(LanguageError):
        IgnoreRules.of([pattern])


def test_a_dockerignore_file_is_read_as_by_docker() -> None:
    content = b"\xef\xbb\xbf# comment\n  # none\n\n a \n/b/c/\n!  /d\n!/e/../f\n/\n./g//h\r\n"
    assert read_patterns(content) == ["# none", "a", "b/c", "!d", "!f", "/", "g/h"]


def test_the_dockerignore_of_a_dockerfile_takes_precedence() -> None:
    assert ignore_file_names("sub/x.Dockerfile") == (
        "sub/x.Dockerfile.dockerignore",
        ".dockerignore",
    )


@pytest.mark.parametrize(
    ("patterns", "directory", "expected"),
    [
        (["dir"], "dir", True),
        (["dir"], "other", False),
        (["dir", "!dir/a"], "dir", False),
        (["dir", "!other/a"], "dir", True),
        (["*", "!src/lib/x"], "src/lib", False),
        (["*", "!src/lib/x"], "src/bin", True),
        (["*", "!**/x"], "src", False),
        (["*", "!src/**"], "src", False),
        (["*", "!src/**"], "doc", True),
    ],
)
def test_a_directory_is_skipped_only_if_nothing_below_is_included_again(
    patterns: list[str], directory: str, expected: bool
) -> None:
    rules = IgnoreRules.of(patterns)
    assert rules.skips(directory, rules.verdict(directory)) == expected


def test_matches_of_parent_directories_apply_below_them() -> None:
    rules = IgnoreRules.of(["a", "!a/b/c"])
    above = rules.verdict("a")
    below = rules.verdict("a/b", above)
    assert above.excluded
    assert below.excluded
    assert not rules.verdict("a/b/c", below).excluded
    assert rules.verdict("a/b/d", below).excluded


def test_names_that_are_not_valid_utf_8_are_matched() -> None:
    assert IgnoreRules.parse(b"a\xff*\n").excludes("a\udcffb")
