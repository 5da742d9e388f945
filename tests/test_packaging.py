"""Wheel and sdist hold what the program needs; editable installs and checkouts find the same."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
DATA = {".toml", ".tcss", ".typed"}


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a wheel and an sdist of a copy of the project."""
    project = tmp_path_factory.mktemp("project")
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, project)
    for name in ("mqtttui", "themes"):
        shutil.copytree(ROOT / name, project / name, ignore=shutil.ignore_patterns("__pycache__"))
    (project / "tests").mkdir()
    out = tmp_path_factory.mktemp("dist")
    subprocess.run([sys.executable, "-m", "hatchling", "build", "-d", str(out)], cwd=project, check=True, capture_output=True, timeout=120)
    return out


def wanted() -> set[str]:
    """Paths below the package, as the checkout has them."""
    package = {
        path.relative_to(ROOT).as_posix()
        for path in (ROOT / "mqtttui").rglob("*")
        if path.suffix in DATA | {".py"} and "__pycache__" not in path.parts
    }
    return package | {f"mqtttui/themes/{path.name}" for path in (ROOT / "themes").glob("*.toml")}


def test_wheel(built: Path) -> None:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        names = {name for name in archive.namelist() if ".dist-info/" not in name}
        assert names == wanted()
        assert any(name.endswith(".dist-info/licenses/LICENSE") for name in archive.namelist())


def test_wheel_runs_from_where_it_is_installed(built: Path, tmp_path: Path) -> None:
    (wheel,) = built.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        archive.extractall(tmp_path)
    code = "from mqtttui.config.paths import themes_dir; print(themes_dir(), *sorted(p.stem for p in themes_dir().glob('*.toml')))"
    # -I keeps the checkout out of the search path; an editable install of it stands behind the extracted wheel.
    command = [sys.executable, "-I", "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r}); {code}"]
    result = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True, cwd=tmp_path)
    folder, *names = result.stdout.split()
    assert Path(folder) == tmp_path / "mqtttui" / "themes"
    assert {"mqtttui-dark", "mqtttui-light"} <= set(names)


def test_sdist(built: Path) -> None:
    (sdist,) = built.glob("*.tar.gz")
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    checkout = {name.replace("mqtttui/themes/", "themes/") for name in wanted()}
    assert checkout | {"pyproject.toml", "README.md", "LICENSE"} <= names
