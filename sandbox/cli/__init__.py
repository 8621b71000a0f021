# SPDX-License-Identifier: MIT
"""The command line: parsing and showing, nothing else."""

import gc

# Imports allocate much and free nothing, so garbage collection only slows the start down.
gc.set_threshold(50_000, 20, 20)
