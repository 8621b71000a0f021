# SPDX-License-Identifier: MIT
"""The commands about containers; ``sandbox container`` groups them."""
