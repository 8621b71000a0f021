# SPDX-License-Identifier: MIT
"""What each instruction of a Dockerfile does to a stage."""
