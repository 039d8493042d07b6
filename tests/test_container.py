"""The container files, without a container: what they copy is there, and what they run works."""

from __future__ import annotations

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from data.settings import PREFIX
from tests.ports import free_port
from tests.test_operators import names
from tests.test_wheel import ROOMS

ROOT: Final = Path(__file__).resolve().parents[1]
FILES: Final = ("pyproject.toml", "setup.py", "README.md", "__main__.py", "app.py")
PUBLIC: Final = "https://spendscope.example.org"
NOBODY: Final = 10_001
Instruction = tuple[str, str]


def instructions() -> Iterator[Instruction]:
    """Each instruction of the Dockerfile with what follows it."""
    text = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", " ")
    for line in text.splitlines():
        if line.strip() and not line.startswith("#"):
            word, _, rest = line.partition(" ")
            yield word, rest.strip()


def stage(last: bool) -> list[Instruction]:
    """The instructions of the image itself, or of the stage that builds it."""
    found = list(instructions())
    starts = [n for n, (word, _) in enumerate(found) if word == "FROM"]
    assert len(starts) == 2
    return found[starts[1] :] if last else found[: starts[1]]


def environment() -> dict[str, str]:
    told = [rest for word, rest in stage(last=True) if word == "ENV"]
    return dict(part.split("=", 1) for rest in told for part in shlex.split(rest))


def of(word: str) -> Any:
    """What the image says by a word, once."""
    (rest,) = [rest for one, rest in stage(last=True) if one == word]
    return rest


def test_all_that_a_wheel_is_made_of_is_copied_and_nothing_is_missing() -> None:
    copied = [rest.split()[:-1] for word, rest in stage(last=False) if word == "COPY"]
    given = {name for names_ in copied for name in names_}
    assert all((ROOT / name).exists() for name in given)
    assert given == {"requirements.lock", *FILES, *ROOMS}
    ignore = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    assert {line[1:] for line in ignore if line.startswith("!")} == given
    assert "*" in ignore


def test_the_image_runs_as_nobody_and_keeps_its_data_in_one_volume() -> None:
    assert of("USER") == f"{NOBODY}:{NOBODY}"
    assert of("VOLUME") == environment()[f"{PREFIX}DATA_DIR"] == "/data"
    assert {name for name in environment() if name.startswith(PREFIX)} <= names("Settings")


def test_its_command_serves_and_its_health_check_sees_it(tmp_path: Path) -> None:
    command = [*json.loads(of("ENTRYPOINT")), *json.loads(of("CMD"))]
    assert command == ["spendscope", "serve"]
    program = [sys.executable, str(ROOT / "app.py")]  # as the command of a wheel: test_wheel
    port = str(free_port())
    told = environment() | {f"{PREFIX}DATA_DIR": str(tmp_path), f"{PREFIX}PORT": port}
    told[f"{PREFIX}PUBLIC_URL"] = PUBLIC  # as behind Caddy: the check goes by another name
    del told["PATH"]
    # The image has nothing of the checkout: an empty folder, and no other variable of ours.
    clean = {key: value for key, value in os.environ.items() if not key.startswith(PREFIX)}
    with subprocess.Popen(
        [*program, *command[1:]], cwd=tmp_path, env=clean | told, stdout=subprocess.PIPE, text=True
    ) as running:
        try:
            assert running.stdout is not None
            assert f"http://0.0.0.0:{port}" in running.stdout.readline()
            assert "setup-link" in running.stdout.readline()
            assert (tmp_path / "setup-link").read_text().startswith(f"{PUBLIC}/setup?token=")
            assert health(port) == 0
        finally:
            running.terminate()
        assert running.wait(30) == 0
    assert health(port) != 0


def health(port: str) -> int:
    """How the health check of the image ends."""
    check = json.loads(of("HEALTHCHECK").partition(" CMD ")[2])
    assert check[0] == "python"
    asked = [word.replace(":8050/", f":{port}/") for word in check[1:]]
    return subprocess.run([sys.executable, *asked], capture_output=True, timeout=60).returncode


def test_compose_asks_for_what_there_is() -> None:
    services = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))["services"]
    ours = {name: one for name, one in services.items() if one.get("build")}
    assert ours
    for one in ours.values():
        assert one["read_only"] is True
        assert one["cap_drop"] == ["ALL"]
        assert one["volumes"] == ["data:/data"]
        assert set(one.get("environment", ())) <= names("Settings")
    told = (ROOT / "docs" / "containers.md").read_text(encoding="utf-8")
    profiles = {profile for one in services.values() for profile in one["profiles"]}
    assert set(re.findall(r"--profile (\w+)", told)) == profiles
    assert services["spendscope"]["ports"] == ["127.0.0.1:8050:8050"]  # plain HTTP: nobody else
    assert Path(ROOT / services["caddy"]["volumes"][0].split(":")[0]).is_file()
