"""The shape of the code: layers, and a docstring in every module."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
MODULES = sorted((ROOT / "heketipy").rglob("*.py"))


def test_imports_point_downwards() -> None:
    linter = Path(sys.executable).parent / "lint-imports"
    done = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("module", MODULES, ids=[str(module.relative_to(ROOT)) for module in MODULES])
def test_every_module_says_what_it_is(module: Path) -> None:
    assert ast.get_docstring(ast.parse(module.read_text(encoding="utf-8")))


def test_nobody_but_the_configuration_reads_the_environment() -> None:
    readers = [
        str(module.relative_to(ROOT))
        for module in MODULES
        if {"environ", "getenv"} & {node.attr for node in ast.walk(_tree(module)) if isinstance(node, ast.Attribute)}
    ]
    # The client's programs have variables of their own; they have no configuration file.
    assert [reader for reader in readers if not reader.startswith("heketipy/cli/")] == ["heketipy/config/load.py"]


def _tree(module: Path) -> ast.Module:
    return ast.parse(module.read_text(encoding="utf-8"))
