# SPDX-License-Identifier: MIT
"""``python -m sandbox`` is the command ``sandbox``."""

from sandbox.command import program

if __name__ == "__main__":
    program()
