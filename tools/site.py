# SPDX-License-Identifier: MIT
"""Hooks of mkdocs: documents outside of docs/ are pages of the site, too.

Links are written for readers of the repository (``../bench/README.md``). Here they are turned
into links between pages. A link to anything that is no page becomes plain text.
"""

from __future__ import annotations

import pathlib
import posixpath
import re
from typing import TYPE_CHECKING

from mkdocs.structure.files import File, Files

from tools import manual

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.pages import Page

ROOT = pathlib.Path(__file__).resolve().parents[1]
ELSEWHERE = {
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
    "bench/README.md": "measuring.md",
    "bench/results/intel-xeon-2cpu.svg": "figures.svg",
}
_SOURCES = {page: source for source, page in ELSEWHERE.items()}
_LINK = re.compile(r"(?<!!)\[(?P<text>[^\]]*)\]\((?P<path>[^)#\s:]+)(?P<anchor>#[^)\s]*)?\)")


def on_files(files: Files, *, config: MkDocsConfig) -> Files:
    """Add the pages that are no files of docs/."""
    for source, page in ELSEWHERE.items():
        files.append(File.generated(config, page, content=(ROOT / source).read_bytes()))
    files.append(File.generated(config, "commands.md", content=manual.commands_page()))
    return files


def on_page_markdown(markdown: str, *, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Turn links of the repository into links of the site."""
    here = page.file.src_uri
    if here == "commands.md":
        return markdown
    source = _SOURCES.get(here, f"docs/{here}")

    def relink(match: re.Match[str]) -> str:
        target = posixpath.normpath(posixpath.join(posixpath.dirname(source), match["path"]))
        uri = ELSEWHERE.get(target, target.removeprefix("docs/"))
        if files.get_file_from_path(uri) is None:
            return match["text"] if target == uri and (ROOT / target).exists() else match[0]
        path = posixpath.relpath(uri, posixpath.dirname(here) or ".")
        return f"[{match['text']}]({path}{match['anchor'] or ''})"

    return _LINK.sub(relink, markdown)


def on_page_content(html: str, **_: object) -> str:
    """Show the vertical bars of code in tables without the backslash that a table needs."""
    return html.replace("\\|", "|")
