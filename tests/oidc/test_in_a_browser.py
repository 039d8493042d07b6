"""Sign-in by the provider in a real browser, from the first page to signing out on both sides."""

from __future__ import annotations

import re

from playwright.sync_api import Browser, ConsoleMessage, Page, expect

from tests.oidc.conftest import Site


def test_somebody_comes_in_and_leaves(site: Site, chromium: Browser) -> None:
    context = chromium.new_context()
    page, complaints = context.new_page(), list[str]()

    def heard(said: ConsoleMessage) -> None:
        ours = page.url.startswith(site.address)  # the provider's own pages want fonts from afar
        complaints.extend([said.text] if ours and said.type == "error" else [])

    page.on("console", heard)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{site.address}/settings/profile")
    page.get_by_test_id("sign-in-oidc").click()
    comes_in(page, site)
    leaves(page, site)
    page.goto(f"{site.address}/settings/profile")
    page.get_by_test_id("sign-in-oidc").click()
    expect(page.locator("[name=login]")).to_be_visible()  # signed out there, too
    assert complaints == []
    context.close()


def comes_in(page: Page, site: Site) -> None:
    page.locator("[name=login]").fill("lena")
    page.locator("[name=password]").fill("any")
    page.get_by_role("button", name="Sign-in").click()
    page.get_by_role("button", name="Continue").click()
    page.wait_for_url(f"{site.address}/settings/profile")
    expect(page.locator("#main")).to_contain_text("Lena")
    expect(page.locator("#main")).to_contain_text("in the projects you administer")
    row = page.get_by_test_id("section-sessions").locator(".ag-center-cols-container [role=row]")
    expect(row.first).to_contain_text("provider")


def leaves(page: Page, site: Site) -> None:
    page.goto(f"{site.address}/sign-out")
    page.get_by_role("button", name=re.compile("Sign out")).click()
    page.wait_for_url(f"{site.provider.issuer}/session/end**")
    page.get_by_role("button", name=re.compile("Yes")).click()
    page.wait_for_url(f"{site.address}/sign-in*")
