# SPDX-License-Identifier: MIT
"""The Go template subset of ``--format``."""

from __future__ import annotations

import pytest

from sandbox.cli.output.template import Template
from sandbox.cli.output.template_functions import Struct, TemplateError

VALUE = Struct(
    Name="web",
    ID="abcdef",
    Empty="",
    Count=3,
    Ratio=1.5,
    Yes=True,
    No=False,
    Nothing=None,
    Ports=["80", "443"],
    Labels={"a": "1", "b.c": "2"},
    State=Struct(Pid=7, Status="running"),
    Label=lambda key: {"a": "1"}.get(key, ""),
)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("plain", "plain"),
        ("{{.Name}}-{{.State.Pid}}", "web-7"),
        ("{{ .Name }}", "web"),
        ("a {{- .Name -}} b", "awebb"),
        ("a {{/* note */}}b", "a b"),
        ("{{json .Ports}}", '["80","443"]'),
        ("{{json .Labels}}", '{"a":"1","b.c":"2"}'),
        ("{{.Ports}} {{.Labels}}", "[80 443] map[a:1 b.c:2]"),
        ("{{.State}}", "{7 running}"),
        ("{{.Yes}} {{.Count}} {{.Ratio}}", "true 3 1.5"),
        ("{{.Nothing}}", "<no value>"),
        ("{{.Labels.zzz}}", "<no value>"),
        ('{{index .Labels "b.c"}}', "2"),
        ("{{index .Ports 1}}", "443"),
        ('{{.Label "a"}}', "1"),
        ('{{join .Ports ","}}', "80,443"),
        ('{{split "a-b" "-"}}', "[a b]"),
        ("{{upper .Name}} {{.Name | upper | lower | title}}", "WEB Web"),
        ("{{truncate .ID 3}}", "abc"),
        ('{{pad .Name 1 2}}|{{pad "" 1 2}}|', " web  ||"),
        ("{{len .Ports}} {{len .Name}}", "2 3"),
        ('{{printf "%-5s|%03d|%q" .Name .Count .Name}}', 'web  |003|"web"'),
        ('{{print .Name 1 2 "x"}}', "web1 2x"),
        ("{{println .Name}}", "web\n"),
        ("{{if .Yes}}y{{else}}n{{end}}{{if .No}}y{{else}}n{{end}}", "yn"),
        ("{{if .No}}a{{else if .Yes}}b{{else}}c{{end}}", "b"),
        ("{{if and .Yes .Empty}}y{{else}}n{{end}}", "n"),
        ("{{if or .Empty .Name}}y{{end}}", "y"),
        ("{{if not .Empty}}y{{end}}", "y"),
        ('{{if eq .Name "x" "web"}}y{{end}}', "y"),
        ('{{if ne .Name "x"}}y{{end}}', "y"),
        ("{{if gt .Count 2}}y{{end}}{{if le .Count 2}}n{{end}}", "y"),
        ("{{range .Ports}}<{{.}}>{{end}}", "<80><443>"),
        ("{{range $i, $p := .Ports}}{{$i}}={{$p}} {{end}}", "0=80 1=443 "),
        ("{{range $k, $v := .Labels}}{{$k}}:{{$v}};{{end}}", "a:1;b.c:2;"),
        ("{{range .Nothing}}x{{else}}none{{end}}", "none"),
        ("{{range .Ports}}{{$.Name}}{{end}}", "webweb"),
        ("{{with .State}}{{.Pid}}{{end}}{{with .Empty}}x{{else}}-{{end}}", "7-"),
        ("{{$x := .Name}}{{$x}}{{$x = .ID}}{{$x}}", "webabcdef"),
        ("{{(index .Ports 0) | printf `%s!`}}", "80!"),
        ('{{"a\\tb"}}{{`c\\t`}}', "a\tbc\\t"),
        ("{{(.State).Pid}}", "7"),
        ("{{1}} {{-2}} {{0x10}} {{1.5}} {{'a'}}", "1 -2 16 1.5 97"),
    ],
)
def test_a_template_renders_as_in_go(source: str, expected: str) -> None:
    assert Template(source).render(VALUE) == expected


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("{{.Name", "unclosed action"),
        ("{{}}", "missing value for command"),
        ("{{.Name |}}", "missing value for command"),
        ("{{nope .Name}}", 'function "nope" not defined'),
        ("{{if .Yes}}x", "unexpected EOF"),
        ("{{end}}", "unexpected {{end}}"),
        ("{{(.Name}}", "unclosed left paren"),
        ("{{.Name)}}", r"unexpected <\)>"),
        ("{{$x}}", 'undefined variable "\\$x"'),
        ("{{.Absent}}", "can't evaluate field Absent"),
        ("{{.State.Absent}}", "can't evaluate field Absent"),
        ("{{.Name.Absent}}", "can't evaluate field Absent"),
        ("{{index .Ports 9}}", "index out of range: 9"),
        ('{{.Name "x"}}', "can't give argument to non-function"),
        ("{{lower .Count}}", "error calling lower"),
        ("{{range .Yes}}{{end}}", "range can't iterate over true"),
        ("{{ ? }}", "unexpected '\\?'"),
    ],
)
def test_an_error_in_a_template_is_explained(source: str, message: str) -> None:
    with pytest.raises(TemplateError, match=message):
        Template(source).render(VALUE)
