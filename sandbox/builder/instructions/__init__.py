# SPDX-License-Identifier: MIT
"""The instructions of a Dockerfile: how each changes its stage."""
