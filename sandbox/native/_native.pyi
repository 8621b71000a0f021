# What cffi makes of csrc/abi.h, csrc/index_build.h and csrc/hosted.h. Only core.py uses
# it, and gives every result its type there.
from typing import Any

ffi: Any
lib: Any
