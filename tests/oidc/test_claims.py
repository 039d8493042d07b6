"""Claims of a provider in our words: each setting, shapes as providers send them, nothing more."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any, Final

import pytest
from hypothesis import given
from hypothesis import strategies as some

from data.access.scope import Scope
from data.errors import SettingsError, Stranger
from data.identity.claims import ClaimNames, found, mapped
from data.identity.provider import read_oidc
from data.settings import Settings
from tests.oidc.recorded import OVERAGES, TOKENS

DOCS: Final = Path(__file__).parents[2] / "docs" / "operators.md"
LEAST: Final = {"OIDC_ISSUER": "https://idp.example.org", "OIDC_CLIENT_ID": "us"}


def preset(heading: str) -> dict[str, str]:
    """The settings that the operators' page gives for a provider."""
    text = DOCS.read_text(encoding="utf-8").partition(f"\n### {heading}\n")[2]
    block = text.partition("```\n")[2].partition("```")[0]
    lines = (line.partition("=") for line in block.splitlines())
    return {name.removeprefix("SPENDSCOPE_"): value for name, _, value in lines}


@pytest.mark.parametrize("heading", TOKENS)
def test_the_settings_of_the_page_read_what_a_provider_sends(heading: str) -> None:
    settings, one = read_oidc({"OIDC_CLIENT_ID": "us"} | preset(heading)), TOKENS[heading]
    assert settings
    scope = Scope.of(mapped(one.claims | one.ours, settings.names))
    assert (scope.user, scope.everything, set(scope.projects)) == (
        one.user,
        one.admin,
        one.projects,
    )
    plain = Scope.of(mapped(one.claims, settings.names))
    assert (plain.user, plain.reach) == (one.user, "own")


@pytest.mark.parametrize("overage", OVERAGES)
def test_groups_that_were_left_out_are_not_taken_for_none(overage: dict[str, Any]) -> None:
    groups = {"OIDC_CLAIM_ADMIN": "groups", "OIDC_ADMIN_ROLES": "boss"}
    by_groups, by_roles = read_oidc(LEAST | groups), read_oidc(LEAST)
    assert by_groups
    assert by_roles
    claims = TOKENS["Entra ID"].claims | overage
    with pytest.raises(Stranger, match="left out your groups"):
        mapped(claims, by_groups.names)
    assert Scope.of(mapped(claims, by_roles.names)).reach == "own"


@pytest.mark.parametrize(("domain", "good"), [
    ("example.com", True), ("evil.example", False), (None, False), ("EXAMPLE.COM", False),
    ("example.com.evil.example", False), (["example.com"], True), (True, False), ("", False),
])  # fmt: skip
def test_google_lets_in_those_of_the_domain_alone(domain: Any, good: bool) -> None:
    settings = read_oidc({"OIDC_CLIENT_ID": "us"} | preset("Google"))
    assert settings
    claims = TOKENS["Google"].claims | {"hd": domain}
    if domain is None:
        del claims["hd"]  # any account of gmail.com
    if good:
        assert mapped(claims, settings.names)["sub"] == "jsmith@example.com"
        return
    with pytest.raises(Stranger, match="does not say that you belong"):
        mapped(claims, settings.names)


def test_a_client_of_keycloak_has_roles_of_its_own() -> None:
    told = {"OIDC_CLAIM_ADMIN": "resource_access.spendscope.roles", "OIDC_ADMIN_ROLES": "admin"}
    settings = read_oidc(LEAST | told)
    assert settings
    roles = {"resource_access": {"spendscope": {"roles": ["admin"]}, "other": {"roles": ["x"]}}}
    assert Scope.of(mapped(TOKENS["Keycloak"].claims | roles, settings.names)).everything
    other = {"resource_access": {"other": {"roles": ["admin"]}}}
    assert not Scope.of(mapped(TOKENS["Keycloak"].claims | other, settings.names)).everything


def test_a_connector_of_dex_can_be_the_one_that_lets_in() -> None:
    told = {"OIDC_CLAIM_REQUIRED": "federated_claims.connector_id", "OIDC_REQUIRED_VALUES": "ldap"}
    settings = read_oidc(LEAST | told)
    assert settings
    with pytest.raises(Stranger, match="does not say that you belong"):
        mapped(TOKENS["Dex"].claims, settings.names)
    ldap = {"federated_claims": {"connector_id": "ldap", "user_id": "1"}}
    assert mapped(TOKENS["Dex"].claims | ldap, settings.names)


@pytest.mark.parametrize("verified", [False, "false", 0, "0", "False", [], {}])
def test_an_unverified_address_is_nobody_by_whichever_claim(verified: Any) -> None:
    claims = {"sub": "1", "email": "Root@x.org", "email_verified": verified,
              "preferred_username": "root@X.org"}  # fmt: skip
    for sub in ("email", "preferred_username"):
        with pytest.raises(Stranger, match="not verified"):
            mapped(claims, ClaimNames(sub=sub))


def test_the_page_has_no_other_providers() -> None:
    text = DOCS.read_text(encoding="utf-8")
    section = text.partition("\n## Sign-in by an identity provider\n")[2].partition("\n## ")[0]
    assert re.findall(r"^### (.*)$", section, re.MULTILINE) == [*TOKENS, "GitHub"]


@pytest.mark.parametrize(("path", "value"), [
    ("a", 1), ("b.c", 2), ("b.c.d", None), ("b", {"c": 2}), ("x", None), ("x.y", None),
    ("https://idp/roles", 3), ("dotted.name", 4), ("", None), (".", None), ("b.", None),
])  # fmt: skip
def test_a_claim_is_found_by_name_or_path(path: str, value: Any) -> None:
    claims = {
        "a": 1,
        "b": {"c": 2},
        "https://idp/roles": 3,
        "dotted.name": 4,
        "dotted": {"name": 5},
    }
    assert found(claims, path) == value


ROLES: Final = ClaimNames(
    admin="r", admin_roles=("boss", "owner"), auditor="r", auditor_roles=("eyes", "audit"),
    applications="g", applications_admin="g",
    applications_pattern=re.compile("uses-(.+)"),
    applications_admin_pattern=re.compile("(.+)-lead"),
)  # fmt: skip


@pytest.mark.parametrize(("claim", "admin"), [
    (["boss"], True), (["x", "owner"], True), ("boss", True), (["Boss"], False), ([], False),
    (None, False), (True, False), ("true", False), (["boss,owner"], False), ({"boss": 1}, False),
    ([["boss"]], False), ("boss ", False), (7, False), (["x"] * 3_000 + ["boss"], False),
])  # fmt: skip
def test_an_admin_has_one_of_the_roles(claim: Any, admin: bool) -> None:
    scope = Scope.of(mapped({"sub": "ana", "r": claim, "isAdmin": True}, ROLES))
    assert scope.everything is admin


@pytest.mark.parametrize(("claim", "sees", "changes"), [
    (["eyes"], True, False), (["x", "audit"], True, False), ("eyes", True, False),
    (["boss", "eyes"], True, True), (["Eyes"], False, True), ([], False, True),
    (None, False, True), (True, False, True), ("true", False, True), (["eyes,audit"], False, True),
    ({"eyes": 1}, False, True), ([["eyes"]], False, True), ("eyes ", False, True),
    (["x"] * 3_000 + ["eyes"], False, True),
])  # fmt: skip
def test_an_auditor_has_one_of_the_roles(claim: Any, sees: bool, changes: bool) -> None:
    scope = Scope.of(mapped({"sub": "ana", "r": claim, "isAuditor": True}, ROLES))
    assert (scope.everything, not scope.changes_nothing) == (sees, changes)


@pytest.mark.parametrize(("given", "claims", "audits"), [
    ({}, {"isAuditor": True}, True), ({}, {"isAuditor": "true"}, True), ({}, {}, False),
    ({}, {"isAuditor": ["true"]}, False), ({"OIDC_CLAIM_AUDITOR": "x.y"}, {"x": {"y": True}}, True),
    ({"OIDC_CLAIM_AUDITOR": "x.y"}, {"isAuditor": True}, False),
    ({"OIDC_AUDITOR_ROLES": " eyes ,, audit"}, {"isAuditor": ["audit"]}, True),
    ({"OIDC_AUDITOR_ROLES": "eyes"}, {"isAuditor": True}, False),
    (preset("Keycloak"), {"realm_access": {"roles": ["spendscope-auditor"]}}, True),
    (preset("Keycloak"), {"realm_access": {"roles": ["spendscope-admin"]}}, False),
])  # fmt: skip
def test_the_settings_say_who_is_an_auditor(
    given: dict[str, str], claims: dict[str, Any], audits: bool
) -> None:
    settings = read_oidc(LEAST | given)
    assert settings
    named = claims | {"sub": "ana", "preferred_username": "ana"}
    assert Scope.of(mapped(named, settings.names)).changes_nothing is audits


@pytest.mark.parametrize(("claim", "projects"), [
    (["web-lead", "etl-lead"], {"web", "etl"}), ("web-lead", {"web"}), (["web-leader"], set()),
    (["xweb-lead"], {"xweb"}), (["-lead"], set()), (["a,b-lead"], set()), ([7, None], set()),
    ({"web-lead": 1}, set()), (None, set()), (["x" * 300 + "-lead"], set()), ([" -lead"], set()),
    (["uses-web"], set()), (["web-lead\n"], set()),
])  # fmt: skip
def test_projects_are_what_the_pattern_catches(claim: Any, projects: set[str]) -> None:
    claims = {"sub": "ana", "g": claim, "applications_admin": "vault"}
    assert set(Scope.of(mapped(claims, ROLES)).projects) == projects


@pytest.mark.parametrize("claims", [
    {}, {"sub": ""}, {"sub": " "}, {"sub": 7}, {"sub": None}, {"sub": ["ana"]},
])  # fmt: skip
def test_nobody_is_nobody(claims: dict[str, Any]) -> None:
    with pytest.raises(Stranger, match="names nobody"):
        mapped(claims, ClaimNames())


@pytest.mark.parametrize(("verified", "good"), [
    (True, True), (None, True), ("true", True), (False, False), ("false", False),
])  # fmt: skip
def test_an_address_that_anybody_can_claim_is_nobodys_id(verified: Any, good: bool) -> None:
    claims = {"sub": "1", "email": "root@x.org", "email_verified": verified}
    if good:
        assert mapped(claims, ClaimNames(sub="email"))["sub"] == "root@x.org"
        return
    with pytest.raises(Stranger, match="not verified"):
        mapped(claims, ClaimNames(sub="email"))
    assert mapped(claims, ClaimNames())["sub"] == "1"


JSON: Final = some.recursive(
    some.none() | some.booleans() | some.integers() | some.text(max_size=8)
    | some.sampled_from(["boss", "eyes", "web-lead", "uses-web", "true", "isAdmin", "vault-lead"]),
    lambda inner: some.lists(inner, max_size=4)
    | some.dictionaries(some.sampled_from("rgx"), inner, max_size=3), max_leaves=6,
)  # fmt: skip


@given(
    some.dictionaries(
        some.sampled_from(["r", "g", "isAdmin", "isAuditor", "applications_admin"]), JSON
    )
)
def test_any_claims_give_what_is_written_in_them(claims: dict[str, Any]) -> None:
    def texts(claim: Any) -> list[str]:
        listed = [claim] if isinstance(claim, str) else claim
        return [one for one in listed if isinstance(one, str)] if isinstance(listed, list) else []

    scope = Scope.of(mapped(claims | {"sub": "ana"}, ROLES))
    roles = set(texts(claims.get("r")))
    assert scope.everything is bool({"boss", "owner", "eyes", "audit"} & roles)
    assert scope.changes_nothing is (scope.everything and not {"boss", "owner"} & roles)
    leads = [one for one in texts(claims.get("g")) if one.endswith("-lead") and "," not in one]
    assert set(scope.projects) == {one[:-5].strip() for one in leads} - {""}


# --- settings


@pytest.mark.parametrize(("change", "sentence"), [
    ({"OIDC_ISSUER": None}, "OIDC_ISSUER is missing"),
    ({"OIDC_CLIENT_ID": None}, "OIDC_CLIENT_ID is missing"),
    ({"OIDC_ISSUER": "http://idp.example.org"}, "OIDC_ISSUER must be an https address"),
    ({"OIDC_ISSUER": "idp.example.org"}, "OIDC_ISSUER must be an https address"),
    ({"OIDC_ISSUER": "file://localhost/x"}, "OIDC_ISSUER must be an https address"),
    ({"OIDC_ISSUER": "https://[x"}, "OIDC_ISSUER must be an https address"),
    ({"OIDC_SCOPES": "profile"}, "OIDC_SCOPES must have openid"),
    ({"OIDC_CLAIM_SUB": "a b"}, "OIDC_CLAIM_SUB is the name of a claim"),
    ({"OIDC_CLAIM_AUDITOR": "a,b"}, "OIDC_CLAIM_AUDITOR is the name of a claim"),
    ({"OIDC_APPLICATIONS_PATTERN": "("}, "OIDC_APPLICATIONS_PATTERN must be a regular"),
    ({"OIDC_APPLICATIONS_PATTERN": "x-.+"}, "OIDC_APPLICATIONS_PATTERN must be a regular"),
    ({"OIDC_APPLICATIONS_ADMIN_PATTERN": "(a)(b)"}, "OIDC_APPLICATIONS_ADMIN_PATTERN must be"),
    ({"OIDC_ISSUER": "https://accounts.google.com"}, "OIDC_REQUIRED_VALUES is missing"),
    ({"OIDC_ISSUER": "https://x@idp.example.org"}, "OIDC_ISSUER must be an https address"),
])  # fmt: skip
def test_a_wrong_setting_is_named(change: dict[str, Any], sentence: str) -> None:
    told = {name: value for name, value in (LEAST | change).items() if value is not None}
    with pytest.raises(SettingsError, match=f"SPENDSCOPE_{sentence}"):
        read_oidc(told)


@pytest.mark.parametrize(("told", "sentence"), [
    (LEAST, "SPENDSCOPE_SIGN_IN names no oidc"),
    ({"SIGN_IN": "oidc"}, "SPENDSCOPE_OIDC_ISSUER is missing"),
    (LEAST | {"SIGN_IN": "local,oidc"}, "SPENDSCOPE_PUBLIC_URL is missing"),
    ({"OIDC_CLIENT_SECRET": "x"}, "SPENDSCOPE_OIDC_ISSUER is missing"),
])  # fmt: skip
def test_settings_that_contradict_stop_the_start(
    tmp_path: Path, told: dict[str, str], sentence: str
) -> None:
    environ = {"DATA_DIR": str(tmp_path)} | told
    with pytest.raises(SettingsError, match=sentence):
        Settings.read({f"SPENDSCOPE_{name}": value for name, value in environ.items()})


def test_without_any_there_is_no_provider(tmp_path: Path) -> None:
    assert Settings.read({"SPENDSCOPE_DATA_DIR": str(tmp_path)}).oidc is None
    assert read_oidc({}) is None
