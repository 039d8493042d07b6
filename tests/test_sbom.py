"""The bill of materials: what `make sbom` writes names every package that we run with."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT: Final = Path(__file__).resolve().parents[1]


def test_it_names_what_is_installed_as_it_is_locked(tmp_path: Path) -> None:
    written = tmp_path / "sbom.json"
    recipe = next(
        line for line in (ROOT / "Makefile").read_text().splitlines() if "cyclonedx" in line
    )
    program, *words = shlex.split(recipe.strip("\t@ ").replace("$(BIN)/python", sys.executable))
    assert program == "$(BIN)/cyclonedx-py"
    command = [sys.executable, "-m", "cyclonedx_py", *words]
    command[command.index("sbom.json")] = str(written)
    subprocess.run(command, check=True, cwd=ROOT, capture_output=True)
    made = json.loads(written.read_text())
    assert (made["bomFormat"], made["metadata"]["component"]["name"]) == ("CycloneDX", "spendscope")
    found = {canonicalize_name(one["name"]): one["version"] for one in made["components"]}
    lock = (ROOT / "requirements.lock").read_text()
    locked = dict(re.findall(r"^([^#\s=]+)==([^\s;]+)", lock, re.MULTILINE))
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    names = {canonicalize_name(Requirement(one).name) for one in project["dependencies"]}
    assert names
    assert names <= found.keys()
    assert {name: locked[name] for name in names} == {name: found[name] for name in names}
