"""Packages of npm that tests need, each installed once by its lock file into the user's cache."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

FILES: Final = ("package.json", "package-lock.json")
QUIET: Final = ("--ignore-scripts", "--no-audit", "--no-fund", "--loglevel=error")


def installed(folder: Path) -> Path:
    """Where the packages of a folder with `FILES` are, installed by the first test that wants it;
    another lock file has another place."""
    mark = hashlib.sha256((folder / FILES[1]).read_bytes()).hexdigest()[:16]
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    place = cache / "spendscope-tests" / f"{folder.name}-{mark}"
    place.mkdir(parents=True, exist_ok=True)
    with (place / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not (place / "done").exists():
            _install(folder, place)
            (place / "done").touch()
    return place / "node_modules"


def _install(folder: Path, place: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        pytest.fail("these tests need Node.js 18 or later with npm: make node")
    for name in FILES:
        shutil.copy(folder / name, place / name)
    done = subprocess.run([npm, "ci", *QUIET], cwd=place, capture_output=True, text=True)
    if done.returncode:
        shutil.rmtree(place / "node_modules", ignore_errors=True)
        pytest.fail(f"npm could not install {folder.name}:\n{done.stdout}{done.stderr}")
