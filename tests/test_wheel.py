"""What is installed is what is here: every package, template and asset, and a command that runs,
as `uvx` and `pipx` have it: in an environment of its own, with what the wheel asks for and no more.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from importlib.metadata import Distribution, distribution, distributions
from pathlib import Path
from urllib.request import urlopen

import pytest
from packaging.requirements import Requirement

from tests.ports import free_port

ROOT = Path(__file__).resolve().parents[1]
ROOMS = ("assets", "callbacks", "components", "data")
MADE = shutil.ignore_patterns("__pycache__", "*.pyc")
BUILD = ("pip", "wheel", "--quiet", "--no-build-isolation", "--no-deps", "--no-index")
INSTALL = ("install", "--quiet", "--no-deps", "--no-index", "--no-compile")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An environment with the wheel, built of a copy so that no older build is in it."""
    source, wheels, tool = (tmp_path_factory.mktemp(name) for name in ("source", "wheels", "tool"))
    for room in ROOMS:
        shutil.copytree(ROOT / room, source / room, ignore=MADE)
    for name in ("__main__.py", "app.py", "pyproject.toml", "setup.py", "README.md"):
        shutil.copy(ROOT / name, source)
    _run(sys.executable, "-m", *BUILD, "--wheel-dir", wheels, source)
    (wheel,) = wheels.iterdir()
    _run(sys.executable, "-m", "venv", "--without-pip", tool)
    _run(sys.executable, "-m", "pip", "--python", tool / "bin" / "python", *INSTALL, wheel)
    return tool


@pytest.fixture(scope="module")
def complete(installed: Path) -> Path:
    """The same with what the wheel asks for, as it is here: nothing has to be fetched."""
    site = site_of(installed)
    (own,) = (one for one in distributions(path=[str(site)]) if one.name == "spendscope")
    here = [one for one in distributions() if one.name != "spendscope"]
    owners = Counter(top for one in here for top in {top_of(path) for path in paths_of(one)})
    for needed in needed_by(own):
        for path in paths_of(needed):
            alone = owners[top_of(path)] == 1  # else other distributions have a part of the folder
            relative = Path(top_of(path)) if alone else path
            link = site / relative
            if not link.exists():
                link.parent.mkdir(parents=True, exist_ok=True)
                link.symlink_to(Path(str(needed.locate_file(str(relative)))))
    return installed


def needed_by(one: Distribution) -> Iterator[Distribution]:
    """What a distribution asks for, and what those do; each once, of a version it takes."""
    found: dict[str, Distribution] = {}
    waiting = [(one, "")]
    while waiting:
        asking, extra = waiting.pop()
        for line in asking.requires or ():
            asked = Requirement(line)
            if asked.marker and not asked.marker.evaluate({"extra": extra}):
                continue
            needed = distribution(asked.name)
            assert asked.specifier.contains(needed.version), f"{asking.name} asks for {line}"
            extras = asked.extras or {""}
            if needed.name not in found or extras - {""}:
                waiting += [(needed, each) for each in extras]
            found[needed.name] = needed
    yield from found.values()


def paths_of(one: Distribution) -> Iterator[Path]:
    """The files of a distribution below where packages are, but what Python made of them."""
    for path in one.files or ():
        if ".." not in path.parts and "__pycache__" not in path.parts:
            yield Path(path)


def top_of(path: Path) -> str:
    return path.parts[0]


def site_of(tool: Path) -> Path:
    (site,) = tool.glob("lib/python3*/site-packages")
    return site


def _run(*command: object) -> None:
    subprocess.run([str(word) for word in command], check=True, capture_output=True, timeout=240)


def test_a_wheel_holds_every_file_of_the_program(installed: Path) -> None:
    here = {f"{room}/{path}" for room in ROOMS for path in files(ROOT / room)}
    assert files(site_of(installed) / "spendscope") == here | {"__main__.py", "app.py"}


def test_the_command_of_a_wheel_serves_in_an_empty_folder(complete: Path, tmp_path: Path) -> None:
    port = free_port()
    environ = {"SPENDSCOPE_PORT": str(port), "HOME": str(tmp_path / "home")}
    with subprocess.Popen(
        [str(complete / "bin" / "spendscope")], cwd=tmp_path, env=environ,
        stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as running:  # fmt: skip
        try:
            assert running.stdout is not None
            first = running.stdout.readline()
            assert first == f"Spendscope serves on http://127.0.0.1:{port}\n", running.stdout.read()
            assert read(port, "/readyz") == '{"status":"ready"}\n'
            page = read(port, "/sign-in")
            assert "<title>" in page
            styles = re.findall(r'href="(/[^"]+\.css[^"]*)"', page)
            assert styles
            assert all(read(port, address) for address in styles)
        finally:
            running.terminate()
        assert running.wait(60) == 0
    assert [path.name for path in tmp_path.iterdir()] == ["var"]


def read(port: int, path: str) -> str:
    with urlopen(f"http://127.0.0.1:{port}{path}", timeout=120) as answer:
        return str(answer.read().decode())


def files(folder: Path) -> set[str]:
    """Every file below a folder but what Python made of it."""
    found = (path.relative_to(folder) for path in folder.rglob("*") if path.is_file())
    return {str(path) for path in found if "__pycache__" not in path.parts}
