# SPDX-License-Identifier: MIT
"""``python -m sandbox`` is the command ``sandbox``."""

import sys

from sandbox.cli.main import main

if __name__ == "__main__":
    sys.exit(main())
