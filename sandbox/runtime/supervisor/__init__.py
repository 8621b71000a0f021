# SPDX-License-Identifier: MIT
"""The supervisor: one small process that runs one container and serves its clients."""
