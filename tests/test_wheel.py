"""What is installed is what is here: every package, template and asset, and a command that runs."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("assets", "callbacks", "components", "data")
MADE = shutil.ignore_patterns("__pycache__", "*.pyc")
BUILD = ("pip", "wheel", "--quiet", "--no-build-isolation", "--no-deps", "--no-index")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with what a wheel installs, built of a copy so that no older build is in it."""
    source, wheels, site = (tmp_path_factory.mktemp(name) for name in ("source", "wheels", "site"))
    for room in ROOMS:
        shutil.copytree(ROOT / room, source / room, ignore=MADE)
    for name in ("__main__.py", "app.py", "pyproject.toml", "setup.py", "README.md"):
        shutil.copy(ROOT / name, source)
    command = [sys.executable, "-m", *BUILD, "--wheel-dir", str(wheels), str(source)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    (wheel,) = wheels.iterdir()
    with zipfile.ZipFile(wheel) as file:
        file.extractall(site)
    return site


def test_a_wheel_holds_every_file_of_the_program(installed: Path) -> None:
    here = {f"{room}/{path}" for room in ROOMS for path in files(ROOT / room)}
    assert files(installed / "spendscope") == here | {"__main__.py", "app.py"}


def test_the_command_of_a_wheel_runs_without_the_checkout(installed: Path, tmp_path: Path) -> None:
    (entry,) = installed.glob("spendscope-*.dist-info/entry_points.txt")
    assert "spendscope = spendscope.__main__:main" in entry.read_text()
    done = subprocess.run(
        [sys.executable, "-m", "spendscope", "sample", "--events", "10"],
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(installed), "SPENDSCOPE_DATA_DIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 0, done.stderr
    assert "10" in done.stdout


def files(folder: Path) -> set[str]:
    """Every file below a folder but what Python made of it."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {str(path) for path in found if "__pycache__" not in path.parts}
