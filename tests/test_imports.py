"""Who knows whom: the core works where Streamlit cannot be imported, and its parts point one way."""

import ast
import runpy
import subprocess
import sys
from pathlib import Path

import pytest

import diffusion

CORE = Path(diffusion.__file__).parent


def run(code: str) -> str:
    """Run code in a fresh interpreter, at the root of the project."""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=CORE.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_core_never_imports_streamlit_nor_what_only_training_needs():
    """With Streamlit forbidden, every module of the core can be imported; `diffusion` itself is lean."""
    code = """
import importlib, pkgutil, sys
sys.modules["streamlit"] = None  # whoever imports it fails
import torch, torch.nn.functional, numpy, PIL.Image
before = set(sys.modules)
import diffusion
added = {name.partition(".")[0] for name in set(sys.modules) - before} - set(sys.stdlib_module_names)
print(*sorted(added))
print(*sorted(name for name in sys.modules if name in ("diffusion.training", "diffusion.data")))
for module in pkgutil.iter_modules(diffusion.__path__):
    importlib.import_module(f"diffusion.{module.name}")
"""
    added, training, *_ = run(code).split("\n")
    # PIL and numpy import parts of themselves when first used; safetensors reads the weights.
    assert set(added.split()) <= {"diffusion", "safetensors", "PIL", "numpy", "torch", "packaging"}
    assert training == ""


def imports(module: str) -> set[str]:
    """Names of the modules of the core that a module of the core imports, anywhere in its text."""
    found: set[str] = set()
    for node in ast.walk(ast.parse((CORE / f"{module}.py").read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            found |= {node.module} if node.module else {alias.name for alias in node.names}
    return found


@pytest.mark.parametrize(
    ("module", "may_know"),
    [
        ("processes", set()),
        ("noise", set()),
        ("network", set()),
        ("errors", set()),
        ("containers", {"errors"}),
        ("pictures", {"containers", "errors"}),
        ("grids", {"processes"}),
        ("forward", {"processes", "grids", "noise"}),
        ("recorded", {"network"}),
        ("guidance", set()),
        ("denoiser", {"network", "recorded", "errors", "guidance"}),
        ("oracles", {"denoiser"}),
        ("sampler", {"processes", "grids", "noise", "denoiser"}),
        ("checkpoint", {"card", "denoiser", "network", "errors", "guidance"}),
        ("data", set()),
    ],
)
def test_nothing_points_back(module: str, may_know: set[str]):
    assert imports(module) <= may_know


def test_everything_that_is_promised_is_there():
    assert all(hasattr(diffusion, name) for name in diffusion.__all__)


def test_the_module_can_be_run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]):
    """As `python -m diffusion` would, without another interpreter."""
    monkeypatch.setattr(sys, "argv", ["diffusion", "--help"])
    monkeypatch.delitem(sys.modules, "diffusion.__main__", raising=False)
    with pytest.raises(SystemExit) as stopped:
        runpy.run_module("diffusion", run_name="__main__")
    assert not stopped.value.code
    said = capsys.readouterr().out
    assert all(command in said for command in ("generate", "noise", "denoise", "train", "models"))
