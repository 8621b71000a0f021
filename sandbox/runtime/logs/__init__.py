# SPDX-License-Identifier: MIT
"""The log file of a container, in Docker's json-file format."""
