# SPDX-License-Identifier: MIT
"""Circles in a graph of files. Does not know: what an edge between two files stands for."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

Edges = dict[tuple[str, str], list[str]]
"""For each pair (user, used) where the use is: a line, or the name of a symbol."""


def circles(edges: Mapping[tuple[str, str], object]) -> list[list[str]]:
    """Return the groups of files that reach one another, each sorted, the largest first.

    >>> circles({("a", "b"): 0, ("b", "c"): 0, ("c", "a"): 0, ("c", "d"): 0})
    [['a', 'b', 'c']]
    """
    below: dict[str, list[str]] = {}
    for user, used in edges:
        below.setdefault(user, []).append(used)
        below.setdefault(used, [])
    found = [sorted(group) for group in _strong_components(below) if len(group) > 1]
    return sorted(found, key=lambda group: (-len(group), group))


def _strong_components(below: Mapping[str, Sequence[str]]) -> Iterator[list[str]]:
    """Yield the strongly connected components: Tarjan's algorithm, without recursion."""
    number: dict[str, int] = {}
    lowest: dict[str, int] = {}
    open_nodes: list[str] = []  # visited, and not yet in a component
    for root in below:
        if root in number:
            continue
        number[root] = lowest[root] = len(number)
        open_nodes.append(root)
        path = [(root, iter(below[root]))]
        while path:
            node, rest = path[-1]
            for child in rest:
                if child not in number:
                    number[child] = lowest[child] = len(number)
                    open_nodes.append(child)
                    path.append((child, iter(below[child])))
                    break
                if child in open_nodes:
                    lowest[node] = min(lowest[node], number[child])
            else:
                path.pop()
                if path:
                    lowest[path[-1][0]] = min(lowest[path[-1][0]], lowest[node])
                if lowest[node] == number[node]:
                    place = open_nodes.index(node)
                    yield open_nodes[place:]
                    del open_nodes[place:]


def lines_about(group: Sequence[str], edges: Mapping[tuple[str, str], Sequence[str]]) -> list[str]:
    """Return the lines that show a circle: its files, and each use of one by another.

    >>> lines_about(["a", "b"], {("a", "b"): ["7"], ("b", "a"): ["1", "2"], ("b", "c"): ["3"]})
    ['circle of 2 files: a b', '    a -> b: 7', '    b -> a: 1 2']
    """
    shown = [f"circle of {len(group)} files: {' '.join(group)}"]
    for (user, used), places in sorted(edges.items()):
        if user in group and used in group:
            shown.append(f"    {user} -> {used}: {' '.join(places)}")
    return shown
