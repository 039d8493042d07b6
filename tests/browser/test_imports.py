"""A file is looked at in the page, and dropped: nothing of it is stored."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from urllib.request import Request, urlopen

import pytest
from playwright.sync_api import Browser, FilePayload, Locator, expect

from callbacks.access.tokens import sign
from data.settings import Settings
from tests.browser.driver import NOW, PHONE, ROLES, ZONE, Open, serving
from tests.reader import ELSEWHERE, Reader
from tests.serving import ADMIN, SECRET

FILE = FilePayload(
    name="usage.csv",
    mimeType="text/csv",
    buffer=b"when,employee,usd\n2026-11-01 10:00:00 UTC,<b>7</b>,$0.5\nsoon,8,1\n",
)
TRACE = FilePayload(
    name="trace.jsonl",
    mimeType="text/plain",
    buffer=b'{"timestamp": 0, "input_length": 5, "output_length": 2, "hash_ids": [1]}\n',
)


def test_a_file_is_looked_at_and_dropped(turn_as: Open) -> None:
    reader = turn_as("platform-admin", "/settings/data")
    expect(reader.find("nav-ingest")).to_be_visible()
    reader.find("upload-file").set_input_files(FILE)
    reader.find("upload-look").click()
    said = reader.find("upload-summary")
    expect(said).to_contain_text("map them to fields: when, employee, usd); known are")
    reader.find("upload-map").fill("ts=when, user=employee, cost=usd")
    reader.find("upload-look").click()
    expect(said).to_have_text(
        "Format canonical. Of 2 records 1 would be new · 0 duplicates · 1 rejected · 0 unpriced."
    )
    expect(reader.find("upload-rows").locator("tbody td")).to_contain_text(["<b>7</b>", "$0.5"])
    expect(reader.find("upload-rejections")).to_have_text("usage.csv:3: ts is not a time: 'soon'")
    expect(reader.find("upload-import")).to_be_visible()
    reader.find("upload-cancel").click()
    expect(said).to_have_text("Cancelled: nothing was stored.")
    expect(reader.find("upload-import")).to_be_hidden()


def test_a_trace_of_offsets_is_given_its_start_and_looked_at_again(turn_as: Open) -> None:
    reader = turn_as("platform-admin", "/settings/data")
    reader.find("upload-file").set_input_files(TRACE)
    reader.find("upload-look").click()
    said = reader.find("upload-summary")
    expect(said).to_contain_text("give its first instant")
    reader.find("upload-start").fill("2026-11-01T08:00Z")
    reader.find("upload-look").click()
    expect(said).to_contain_text("1 would be new")
    expect(reader.find("upload-rows")).to_contain_text("2026-11-01")
    reader.find("upload-start").fill("2026-11-02T08:00Z")
    expect(reader.find("upload-import")).to_be_hidden()
    expect(said).to_have_text("Something has changed: preview it again.")


@pytest.fixture(scope="module")
def own(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A server of its own: the sample's personas go when other data comes."""
    with serving(tmp_path_factory.mktemp("own"), ["serve"], JWT_SECRET=SECRET) as address:
        yield address


def opened(own: str, chromium: Browser, path: str) -> Reader:
    """A page of it as a platform administrator, in a browser of its own."""
    settings = Settings.read({"SPENDSCOPE_JWT_SECRET": SECRET, "SPENDSCOPE_NOW": NOW})
    headers = {"Authorization": f"Bearer {sign(settings, ADMIN, 3_600)}"}
    context = chromium.new_context(timezone_id=ZONE, locale="en-GB", extra_http_headers=headers)
    reader = Reader(context.new_page(), own, ZONE)
    reader.go(path)
    return reader


@pytest.fixture(scope="module")
def _own_page(own: str, chromium: Browser) -> Iterator[Reader]:
    reader = opened(own, chromium, ELSEWHERE)
    yield reader
    reader.page.context.close()


@pytest.fixture
def admin(_own_page: Reader) -> Iterator[Reader]:
    """The page of a platform administrator, turned to Data."""
    _own_page.turn("/settings/data")
    yield _own_page
    complaints = [*_own_page.complaints]
    _own_page.complaints.clear()
    assert complaints == []


@pytest.fixture
def elsewhere(own: str, chromium: Browser) -> Iterator[Callable[[], Reader]]:
    """Open Data as the same administrator in another browser."""
    readers = list[Reader]()
    yield lambda: readers.append(opened(own, chromium, "/settings/data")) or readers[-1]
    for reader in readers:
        reader.page.context.close()
    assert [words for reader in readers for words in reader.complaints] == []


def rows(reader: Reader, key: str) -> Locator:
    return reader.section(key).locator(".ag-center-cols-container [role=row]")


def lines(name: str, count: int) -> FilePayload:
    """Events of a source of that name."""
    made = (
        {"event_id": f"{name}-{n}", "ts": "2026-11-01T00:00:00Z", "kind": "workflow",
         "source": name}
        for n in range(count)
    )  # fmt: skip
    body = "\n".join(map(json.dumps, made)).encode()
    return FilePayload(name=f"{name}.ndjson", mimeType="text/plain", buffer=body)


def looked_at(reader: Reader, file: FilePayload) -> Locator:
    reader.find("upload-file").set_input_files(file)
    reader.find("upload-look").click()
    expect(reader.find("upload-import")).to_be_visible()
    return reader.find("upload-summary")


def test_a_file_is_stored_once_and_its_source_told(admin: Reader) -> None:
    said = looked_at(admin, lines("upload-whole", 30_000))
    expect(said).to_contain_text("30,000 would be new")
    admin.find("upload-import").click()
    expect(said).to_have_text(
        "Imported as canonical: 30,000 new · 0 duplicates · 0 rejected · 0 unpriced."
    )
    expect(rows(admin, "imports").first).to_contain_text("upload-whole.ndjson")
    rows(admin, "sources").filter(has_text="upload-whole").click()
    expect(admin.find("source-detail")).to_contain_text("every call with tokens has a price")
    assert "upload-whole" not in admin.find("upload-open").inner_text()


def test_an_import_is_cancelled_midway_and_taken_up_after_a_reload(admin: Reader) -> None:
    said = looked_at(admin, lines("upload-half", 60_000))
    admin.page.reload()
    expect(said).to_have_text(
        "upload-half.ndjson: Format canonical. Of 60,000 records 60,000 would be new"
        " · 0 duplicates · 0 rejected · 0 unpriced."
    )
    admin.find("upload-import").click()
    expect(said).to_contain_text("Importing …")
    admin.find("upload-cancel").click()  # at once: there is a second or two until the end
    expect(said).to_contain_text("importing the file again adds only the rest")
    expect(admin.find("upload-cancel")).to_be_hidden()
    looked_at(admin, lines("upload-half", 60_000))
    admin.find("upload-import").click()
    expect(admin.find("upload-import")).to_be_hidden()
    admin.page.reload()
    expect(said).to_contain_text("upload-half.ndjson: Imported as canonical: ")
    new, duplicates = re.findall("([0-9,]+) (?:new|duplicates)", said.inner_text())
    assert int(new.replace(",", "")) + int(duplicates.replace(",", "")) == 60_000


def test_who_comes_from_elsewhere_finds_what_waits(
    admin: Reader, elsewhere: Callable[[], Reader]
) -> None:
    looked_at(admin, lines("upload-left", 3))
    other = elsewhere()
    waiting = other.find("upload-open").locator("li").filter(has_text="upload-left.ndjson")
    expect(waiting).to_contain_text("ready")
    waiting.get_by_test_id("upload-take").click()
    expect(other.find("upload-summary")).to_contain_text("upload-left.ndjson: Format canonical.")
    expect(waiting).to_have_count(0)
    other.find("upload-cancel").click()
    expect(other.find("upload-summary")).to_contain_text("Cancelled: nothing was stored.")
    other.page.set_viewport_size(PHONE)
    other.fits()


def test_a_key_is_made_and_revoked(admin: Reader) -> None:
    admin.find("nav-ingest").get_by_role("link").click()
    form = admin.section("keys")  # Data has fields of such names, and stays until Ingest is there
    form.get_by_label("Name").fill("browser")
    form.get_by_label("Source").fill("shop")
    admin.find("key-make").click()
    expect(admin.find("key-secret")).to_contain_text("ssk_")
    mine = rows(admin, "keys").filter(has_text="browser")
    expect(mine).to_have_count(1)
    admin.page.once("dialog", lambda dialog: dialog.accept())
    mine.click()
    admin.find("key-revoke").click()
    expect(mine).to_contain_text("revoked")


def test_a_way_is_connected_and_its_first_event_turns_the_line_green(admin: Reader) -> None:
    card, line = admin.find("connect-team"), admin.find("connect-heard-team")
    card.locator("summary").click()
    expect(line).to_have_text("Make a key: then this line waits for the first event.")
    card.get_by_role("textbox", name="User").fill("ana")
    admin.find("connect-make-team").click()
    expect(line).to_have_attribute("data-state", "waiting")
    lines = card.locator("code").first
    expect(lines).to_contain_text("--key ssk_")
    address, key = lines.inner_text().split()[3:6:2]
    assert address == admin.site
    card.get_by_role("button", name="Copy").first.click()
    expect(card.get_by_text("Copied")).to_be_visible()
    admin.find("connect-file").locator("summary").click()
    expect(card).not_to_have_attribute("open", "")
    card.locator("summary").click()
    event = {"event_id": "first", "ts": "2026-11-01T00:00:00Z", "kind": "llm", "model": "gpt-4o"}
    with admin.page.expect_response(lambda answer: "connections/team?key=" in answer.url):
        posted = Request(
            f"{address}/api/v1/events", json.dumps(event | {"input_tokens": 7}).encode(),
            {"Authorization": f"Bearer {key}", "Content-Type": "application/json"},
        )  # fmt: skip
        urlopen(posted).close()
    expect(line).to_have_attribute("data-state", "received")
    expect(line).to_contain_text("Received 1 event · gpt-4o · 7 tokens")


def test_others_find_neither_page(turn_as: Open) -> None:
    for role in ROLES[1:]:
        reader = turn_as(role, "/settings/data")
        expect(reader.page.get_by_text("There is no such page")).to_be_visible()
        expect(reader.find("nav-data")).to_be_hidden()
        expect(reader.find("nav-ingest")).to_be_hidden()
