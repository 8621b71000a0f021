# SPDX-License-Identifier: MIT
"""The program ``sandbox``: import the command line from the cache of modules, and run it.

Rules: as little as possible is imported here before the cache is there.

Does not know: what a command line is.
"""

from sandbox import module_cache


def program() -> None:
    """Run the command and end the process."""
    cache = module_cache.installed()
    from sandbox.cli.main import program as run

    run(None if cache is None else cache.save)


if __name__ == "__main__":
    program()
