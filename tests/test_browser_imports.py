"""A file is looked at in the page, and dropped: nothing of it is stored."""

from __future__ import annotations

from playwright.sync_api import FilePayload, expect

from tests.browser import ROLES, Open

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


def test_a_file_is_looked_at_and_dropped(open_as: Open) -> None:
    reader = open_as("platform-admin", "/settings/data")
    expect(reader.find("nav-ingest")).to_be_visible()
    reader.find("upload-file").set_input_files(FILE)
    reader.find("upload-look").click()
    said = reader.find("upload-said")
    expect(said).to_contain_text("are read with a map); known are")
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


def test_a_trace_of_offsets_is_given_its_start_and_looked_at_again(open_as: Open) -> None:
    reader = open_as("platform-admin", "/settings/data")
    reader.find("upload-file").set_input_files(TRACE)
    reader.find("upload-look").click()
    said = reader.find("upload-said")
    expect(said).to_contain_text("give its first instant")
    reader.find("upload-start").fill("2026-11-01T08:00Z")
    reader.find("upload-look").click()
    expect(said).to_contain_text("1 would be new")
    expect(reader.find("upload-rows")).to_contain_text("2026-11-01")
    reader.find("upload-start").fill("2026-11-02T08:00Z")
    expect(reader.find("upload-import")).to_be_hidden()
    expect(said).to_have_text("Look at it again: something else was chosen.")


def test_others_find_neither_page(open_as: Open) -> None:
    for role in ROLES[1:]:
        reader = open_as(role, "/settings/data")
        expect(reader.page.get_by_text("There is no such page")).to_be_visible()
        expect(reader.find("nav-data")).to_be_hidden()
        expect(reader.find("nav-ingest")).to_be_hidden()
