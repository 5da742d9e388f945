"""Who may import whom, as it is at run time and as import-linter reads it."""

from __future__ import annotations

import ast
import os
import pkgutil
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import mqtttui

ROOT = Path(__file__).resolve().parent.parent
CORE = ("mqtttui.text", "mqtttui.protocol", "mqtttui.capture", "mqtttui.analysis", "mqtttui.export")
NOT_IN_THE_CORE = {"asyncio", "textual", "rich", "gmqtt"}
NOT_WITHOUT_A_SCREEN = {"textual", "rich"}


def loaded_by(*modules: str) -> set[str]:
    """Top-level names in `sys.modules` of a fresh process that has imported `modules`."""
    code = (
        f"import importlib, sys\nfor name in {list(modules)!r}:\n    importlib.import_module(name)\n"
        "print(*{name.partition('.')[0] for name in sys.modules})"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True, cwd=ROOT)
    return set(result.stdout.split())


def everything_in(*packages: str) -> list[str]:
    """Names of `packages` and of all modules below them."""
    found = [info.name for info in pkgutil.walk_packages(mqtttui.__path__, "mqtttui.", onerror=_fail) if _below(info.name, packages)]
    assert set(packages) <= set(found)
    return found


def _below(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def _fail(name: str) -> None:
    raise AssertionError(f"{name} cannot be imported")


def test_the_core_loads_neither_loop_nor_screen_nor_client() -> None:
    assert loaded_by(*everything_in(*CORE)) & NOT_IN_THE_CORE == set()


def test_the_configuration_loads_none_of_them_either() -> None:
    assert loaded_by(*everything_in("mqtttui.config")) & NOT_IN_THE_CORE == set()


def test_decode_loads_neither_loop_nor_screen_nor_client() -> None:
    assert loaded_by("mqtttui.headless.decode", "mqtttui.cli") & NOT_IN_THE_CORE == set()


def test_headless_and_demo_load_no_screen() -> None:
    assert loaded_by(*everything_in("mqtttui.headless", "mqtttui.demo")) & NOT_WITHOUT_A_SCREEN == set()
    assert "gmqtt" not in loaded_by(*everything_in("mqtttui.demo"))


def test_the_screen_loads_no_filters_before_one_is_wanted() -> None:
    code = "import sys, mqtttui.app, mqtttui.ui.screens.main\nprint(*(name for name in sys.modules if name.startswith('mqtttui.filters')))"
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60, check=True, cwd=ROOT)
    assert result.stdout.split() == []


def test_the_package_itself_loads_nothing() -> None:
    tree = ast.parse((ROOT / "mqtttui" / "__init__.py").read_text())
    assert not [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]


def test_import_contracts() -> None:
    lint = shutil.which("lint-imports", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if lint is None:
        assert not os.environ.get("CI"), "import-linter is missing"
        pytest.skip("import-linter is not installed")
    result = subprocess.run([lint, "--no-cache", "--no-logo"], capture_output=True, text=True, timeout=120, check=False, cwd=ROOT)
    assert result.returncode == 0, result.stdout + result.stderr


def test_no_file_but_pyproject_configures_the_tools() -> None:
    strays = {
        "setup.py",
        "setup.cfg",
        "tox.ini",
        "pytest.ini",
        "mypy.ini",
        ".mypy.ini",
        "ruff.toml",
        ".ruff.toml",
        ".coveragerc",
        ".importlinter",
    }
    assert strays & {path.name for path in ROOT.iterdir()} == set()
