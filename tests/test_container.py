"""The container files, without a container: what they copy is there, and what they run works."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree

import pytest
import yaml
from sqlalchemy.engine import make_url

from data.engines.clickhouse.address import Address
from data.settings import PREFIX, Settings
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
        assert [volume.partition(":")[2] for volume in one["volumes"]] == ["/data"]
        assert set(one.get("environment", ())) <= names("Settings")
    told = (ROOT / "docs" / "containers.md").read_text(encoding="utf-8")
    profiles = {profile for one in services.values() for profile in one["profiles"]}
    assert set(re.findall(r"--profile (\w+)", told)) == profiles
    database = services["postgresql"]
    assert "ports" not in database  # reached by Spendscope alone
    url = make_url(services["spendscope-on-postgresql"]["environment"][f"{PREFIX}EVENTS_URL"])
    given = database["environment"]  # the database has its user's name
    assert url.host == "postgresql"
    assert url.username == url.database == given["POSTGRES_USER"]
    assert url.password == given["POSTGRES_PASSWORD"]
    assert services["spendscope"]["ports"] == ["127.0.0.1:8050:8050"]  # plain HTTP: nobody else
    mounted = (volume.split(":") for one in services.values() for volume in one.get("volumes", ()))
    files = {ROOT / named for named, *_ in mounted if named.startswith(".")}
    assert files == {*(ROOT / "docs" / "containers").iterdir()}
    named = re.findall(r"\$\{(\w+):-", (ROOT / "compose.yaml").read_text(encoding="utf-8"))
    assert {name for name in named if f"{name}=" not in told} == set()


GIVEN: Final = {
    "SPENDSCOPE_DOMAIN": "spendscope.example.org", "KEYCLOAK_DOMAIN": "login.example.org",
    "SPENDSCOPE_OIDC_CLIENT_SECRET": "x", "SPENDSCOPE_SECRET_KEY": "y",
    "SPENDSCOPE_POSTGRES_PASSWORD": "z", "SPENDSCOPE_CLICKHOUSE_PASSWORD": "w",
}  # fmt: skip


def composed() -> dict[str, Any]:
    """The services, with the variables of whoever starts them."""
    text = (ROOT / "compose.yaml").read_text(encoding="utf-8")
    filled = re.sub(r"\$\{(\w+):-(.*?)\}", lambda found: GIVEN.get(found[1], found[2]), text)
    found: dict[str, Any] = yaml.safe_load(filled)["services"]
    return found


def test_two_servers_share_all_but_their_folder_behind_a_proxy_they_believe(
    tmp_path: Path,
) -> None:
    services = composed()
    one, two = services["spendscope-one"], services["spendscope-two"]
    assert one["volumes"] != two["volumes"]
    assert one | {"volumes": ()} == two | {"volumes": ()}
    given = one["environment"]
    settings = Settings.read(given | {f"{PREFIX}DATA_DIR": str(tmp_path)})
    assert settings.oidc
    assert settings.oidc.issuer == "https://login.example.org/realms/spendscope"
    urls = [make_url(url) for url in (settings.state_url, settings.events_url)]
    assert {url.host for url in urls} == {"postgresql-of-servers"}
    assert len({url.query.get("schema") for url in urls}) == 2  # both have a table of versions
    [believed] = settings.trusted_proxies
    assert services["traefik"]["networks"]["inside"]["ipv4_address"] == believed
    routes = yaml.safe_load((ROOT / "docs/containers/traefik.yaml").read_text())["http"]
    ours = [one["url"] for one in routes["services"]["spendscope"]["loadBalancer"]["servers"]]
    assert ours == ["http://spendscope-one:8050", "http://spendscope-two:8050"]
    assert routes["services"]["spendscope"]["loadBalancer"]["strategy"] == "hrw"
    assert "!PathPrefix(`/api/v1/store`)" in routes["routers"]["spendscope"]["rule"]


def test_keycloak_is_told_the_addresses_and_roles_of_spendscope(tmp_path: Path) -> None:
    given = composed()["spendscope-one"]["environment"]
    text = (ROOT / "docs/containers/keycloak.json").read_text(encoding="utf-8")
    realm = json.loads(text.replace("${SPENDSCOPE_DOMAIN}", GIVEN["SPENDSCOPE_DOMAIN"]))
    assert given["SPENDSCOPE_OIDC_ISSUER"].endswith(f"/realms/{realm['realm']}")
    [client] = realm["clients"]
    assert client["clientId"] == given["SPENDSCOPE_OIDC_CLIENT_ID"]
    page = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
    addresses = [*client["redirectUris"], *(client["attributes"][name] for name in (
        "post.logout.redirect.uris", "backchannel.logout.url"))]  # fmt: skip
    assert all(f"| `{address}` |" in page for address in addresses)
    roles = {one["name"] for one in realm["roles"]["realm"]}
    assert roles == {given[f"SPENDSCOPE_OIDC_{one}_ROLES"] for one in ("ADMIN", "AUDITOR")}
    [mapper] = client["protocolMappers"]
    assert mapper["config"]["claim.name"] == given["SPENDSCOPE_OIDC_CLAIM_ADMIN"]


def configuration(name: str) -> ElementTree.Element:
    """A file of ClickHouse's configuration."""
    return ElementTree.parse(ROOT / "docs" / "containers" / name).getroot()


def clickhouse() -> Address:
    """Where Spendscope finds its events in the profile of ClickHouse."""
    given = composed()["spendscope-on-clickhouse"]["environment"]
    return Address.of(make_url(given[f"{PREFIX}EVENTS_URL"]))


def nodes() -> list[list[str]]:
    """The replicas of each shard of that cluster."""
    shards = configuration("clickhouse.xml").iterfind(
        f"remote_servers/{clickhouse().cluster}/shard"
    )
    return [[one.findtext("host", "") for one in shard.iter("replica")] for shard in shards]


def test_clickhouse_of_two_shards_is_the_cluster_that_its_nodes_are_told() -> None:
    place, shards = clickhouse(), nodes()
    assert [len(replicas) for replicas in shards] == [2, 2]  # one alone completes no quorum
    [cluster] = configuration("clickhouse.xml").iterfind(f"remote_servers/{place.cluster}")
    inside = [one.text for one in cluster.iterfind("shard/internal_replication")]
    assert inside == ["true", "true"]
    [secret] = cluster.iterfind("secret")
    assert secret.attrib["from_env"] == "CLICKHOUSE_PASSWORD"
    hosts = [host for replicas in shards for host in replicas]
    assert place.url.host in hosts
    waited = composed()["spendscope-on-clickhouse"]["depends_on"]
    assert waited == {host: {"condition": "service_healthy"} for host in hosts}


@pytest.mark.parametrize("node", [host for replicas in nodes() for host in replicas])
def test_a_node_of_clickhouse_is_who_the_others_take_it_for(node: str) -> None:
    one, place = composed()[node], clickhouse()
    given = one["environment"]
    assert one["hostname"] == node
    assert "ports" not in one  # reached inside alone
    assert given["CLICKHOUSE_DB"] == place.database
    user = (given["CLICKHOUSE_USER"], given["CLICKHOUSE_PASSWORD"])
    assert user == (place.url.username, place.url.password)
    macros = configuration("clickhouse.xml").iterfind("macros/*")
    own = {macro.tag: given[macro.attrib["from_env"]] for macro in macros}
    assert node == "clickhouse-{shard}{replica}".format_map(own)
    assert f"{node}:/var/lib/clickhouse" in one["volumes"]  # of its own


def test_clickhouse_without_a_password_is_never_healthy() -> None:
    kind, check = composed()["clickhouse-1a"]["healthcheck"]["test"]
    assert kind == "CMD-SHELL"
    answered = check.replace("$$", "$").replace("wget", "true")
    for password, healthy in (("", False), ("w", True)):
        ran = subprocess.run(["sh", "-c", answered], env={"CLICKHOUSE_PASSWORD": password})
        assert (ran.returncode == 0) is healthy


def test_clickhouse_finds_the_keeper_which_is_a_whole_quorum_alone() -> None:
    services, keeper = composed(), configuration("clickhouse-keeper.xml")
    [node] = configuration("clickhouse.xml").iterfind("zookeeper/node")
    host, server = node.findtext("host", ""), keeper.find("keeper_server")
    assert host in services
    assert server is not None
    assert node.findtext("port") == server.findtext("tcp_port")
    [member] = server.iterfind("raft_configuration/server")
    assert member.findtext("id") == server.findtext("server_id")
    assert member.findtext("hostname") == host
    [data] = [one.split(":")[1] for one in services[host]["volumes"] if one.startswith("keeper:")]
    paths = [server.findtext(f"{kind}_storage_path", "") for kind in ("log", "snapshot")]
    assert all(path.startswith(f"{data}/") for path in paths)
    ready = server.findtext("http_control/port"), server.findtext("http_control/readiness/endpoint")
    checked = services[host]["healthcheck"]["test"][-1]
    assert checked == "http://127.0.0.1:{}{}".format(*ready)


def test_the_cluster_of_the_docs_is_that_of_compose_on_machines_of_its_own() -> None:
    page = (ROOT / "docs" / "operators.md").read_text(encoding="utf-8")
    [text] = re.findall(r"```xml\n(<clickhouse>.*?)```", page, re.DOTALL)
    shown = ElementTree.fromstring(text)
    ours = configuration("clickhouse.xml")
    for config in (shown, ours):
        for host in config.iter("host"):
            host.text = (host.text or "").removesuffix(".example.org")
    hosts = [[one.text for one in config.iterfind(".//replica/host")] for config in (shown, ours)]
    assert hosts[0] == hosts[1]
    assert {one.tag for one in shown} <= {one.tag for one in ours}
    assert len(shown.findall("zookeeper/node")) == 3


@pytest.mark.parametrize("command", [
    ("hadolint", "Dockerfile"),
    ("docker", "compose", "--profile", "*", "config", "--quiet"),
])  # fmt: skip
def test_the_files_are_what_their_own_programs_take(command: tuple[str, ...]) -> None:
    """Where they are installed: neither needs a daemon."""
    program = command[:2] if command[0] == "docker" else command[:1]
    asked = [*program, "version"] if command[0] == "docker" else [*program, "--version"]
    if not shutil.which(program[0]) or subprocess.run(asked, capture_output=True).returncode:
        pytest.skip(f"{' '.join(program)} is not installed")
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stdout + done.stderr
