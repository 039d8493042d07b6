"""Accounts in a browser: one is made, its holder sets and changes the password, an administrator
looks as them, it is disabled."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

import pytest
from playwright.sync_api import expect

from data.settings import Settings
from data.state.store import State
from tests.accounts import PASSWORD, add_account
from tests.axe.rules import found
from tests.browser.driver import Open, serving
from tests.reader import Reader

NEW: Final = "yet another horse"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server without a demo, with one account."""
    folder = tmp_path_factory.mktemp("accounts")
    settings = Settings.read({"SPENDSCOPE_DATA_DIR": str(folder / "var")})
    state = State(settings.state_url)
    add_account(state, "root", "Root Admin", is_admin=True)
    state.close()
    with serving(folder, ["serve"]) as address:
        yield address


@pytest.fixture(scope="module")
def cookies() -> dict[str, object]:
    """Nobody has signed in."""
    return {}


def sign_in(reader: Reader, user: str, password: str) -> None:
    reader.find("sign-in-name").fill(user)
    reader.find("sign-in-password").fill(password)
    reader.find("sign-in-submit").click()


def test_an_account_from_its_first_link_to_its_end(open_as: Open) -> None:
    root = open_as(None, "/settings/accounts")
    sign_in(root, "root", PASSWORD)
    link = made_in_the_form(root)
    assert found(root.page) == []
    eva = open_as(None, link.removeprefix(root.site))
    assert found(eva.page) == []
    eva.find("set-password").fill(PASSWORD)
    eva.find("set-password-submit").click()
    expect(eva.find("nav-profile")).to_be_visible()
    expect(eva.find("nav-accounts")).to_be_hidden()
    eva.turn("/settings/profile")
    the_password_is_changed_by_who_knows_it(eva)
    an_administrator_looks_as_her(root, eva)
    row = root.section("accounts").locator("[role=row]", has_text="Eva")
    row.first.click()
    root.page.once("dialog", lambda dialog: dialog.accept())
    root.find("account-disable").click()
    expect(row.first).to_contain_text("disabled 20 Nov")
    eva.page.goto(f"{eva.site}/settings/profile")
    expect(eva.find("sign-in-note")).to_have_text(re.compile("This account is disabled"))
    root.page.set_viewport_size({"width": 390, "height": 800})
    assert root.page.evaluate("document.documentElement.scrollWidth") <= 390


def made_in_the_form(root: Reader) -> str:
    """The link by which the holder of a new account sets the password."""
    root.find("account-new").click()
    form = root.page.get_by_role("dialog", name="New account")
    form.get_by_label("User id", exact=True).fill("eva")
    root.find("account-save").click()
    expect(root.find("account-problem-name")).to_have_text("a name cannot be empty")
    form.get_by_label("Name", exact=True).fill("Eva")
    root.find("account-save").click()
    expect(form).to_be_hidden()
    expect(root.find("account-secret")).to_contain_text("/set-password?token=")
    return root.find("account-secret").inner_text()


def an_administrator_looks_as_her(root: Reader, eva: Reader) -> None:
    """In both tabs of that browser, until it is stopped in one."""
    other = root.page.context.new_page()
    other.goto(f"{root.site}/settings/audit")
    expect(other.get_by_test_id("nav-people")).to_be_visible()
    root.page.goto(f"{root.site}/settings/people")
    root.find("people-viewings-user").locator("input").fill("eva")
    # Where there is no activity, tables come ahead to a page that has none: Chromium warns of that.
    root.page.evaluate("localStorage.removeItem('spendscope-tables')")
    root.find("view-as").click()
    banner = root.find("view-as-banner")
    expect(banner).to_contain_text("You see what Eva sees. Nothing can be changed.")
    expect(root.find("nav-accounts")).to_be_hidden()
    expect(root.page.locator("#profile-name")).to_have_text("Eva")
    other.get_by_test_id("nav-people").click()
    expect(other.get_by_test_id("view-as-banner")).to_contain_text("Eva")
    root.find("view-as-stop").click()
    expect(root.page.locator("#profile-name")).to_have_text("Root Admin")
    expect(banner).to_be_hidden()
    other.close()
    eva.page.goto(f"{eva.site}/settings/profile")
    expect(eva.section("viewings")).to_contain_text("Root Admin")
    root.page.goto(f"{root.site}/settings/accounts")


def the_password_is_changed_by_who_knows_it(eva: Reader) -> None:
    for current, said in (("wrong", "password-problem-current"), (PASSWORD, "password-saved")):
        for name, typed in (("current", current), ("password", NEW), ("repeat", NEW)):
            eva.find(f"password-{name}").locator("input").fill(typed)
        eva.find("password-save").click()
        expect(eva.find(said)).not_to_be_empty()
    expect(eva.find("password-saved")).to_have_text("Changed")
    expect(eva.find("password-current").locator("input")).to_have_value("")
    eva.page.reload()
    expect(eva.find("section-password")).to_be_visible()
