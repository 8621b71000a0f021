# What cffi makes of csrc/base/abi.h, csrc/layers/index_build.h and csrc/hosted/hosted.h. Only core.py uses
# it, and gives every result its type there.
from typing import Any

ffi: Any
lib: Any
