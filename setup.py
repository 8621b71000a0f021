# SPDX-License-Identifier: MIT
"""Build hook: `pip install` compiles the C sources with `sandbox/native/build.py`."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

ROOT = Path(__file__).resolve().parent


def load_native_build() -> ModuleType:
    """Load by path: importing the package would need what it is about to build."""
    path = ROOT / "sandbox" / "native" / "build.py"
    spec = importlib.util.spec_from_file_location("native_build", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


class BuildNative(build_ext):
    """Write the extension and, beside it, the guest ELF."""

    def build_extension(self, ext: Extension) -> None:
        target = Path(self.get_ext_fullpath(ext.name))
        load_native_build().build(destination=target.parent)

    def copy_extensions_to_source(self) -> None:
        """Editable install: setuptools would copy the extension but not the guest."""
        load_native_build().build()

    def get_outputs(self) -> list[str]:
        outputs = super().get_outputs()
        return outputs + [str(Path(o).with_name("sandbox-guest")) for o in outputs]


setup(
    ext_modules=[Extension("sandbox.native._native", sources=[], py_limited_api=True)],
    cmdclass={"build_ext": BuildNative},
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
