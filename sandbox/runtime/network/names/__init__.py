# SPDX-License-Identifier: MIT
"""The name server of the networks: containers reach it at 127.0.0.11, port 53."""
