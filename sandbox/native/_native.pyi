# What cffi makes of the headers that build.py names (csrc/base/abi.h, csrc/hosted/hosted.h ...).
# Only core.py uses it, and gives every result its type there.
from typing import Any

ffi: Any
lib: Any
