# SPDX-License-Identifier: MIT
"""Containers for people without root: the public names of the package."""

__version__ = "0.2.0"
