# SPDX-License-Identifier: MIT
"""The command line: parsing and showing, nothing else."""

import gc

# Imports allocate much and free nothing: looking for garbage meanwhile is time lost at every start.
gc.set_threshold(50_000, 20, 20)
