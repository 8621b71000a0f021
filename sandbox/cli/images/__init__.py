# SPDX-License-Identifier: MIT
"""The commands about images and builds; ``sandbox image`` groups them."""
