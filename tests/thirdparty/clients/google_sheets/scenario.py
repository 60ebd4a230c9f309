"""Google's own Python client and pygsheets work on the simulator; tells what they saw as JSON."""

import json
import sys
import tempfile
from pathlib import Path

import httplib2
import pygsheets
from google.oauth2.service_account import Credentials
from googleapiclient.discovery import build
from googleapiclient.errors import HttpError

given = json.load(sys.stdin)
URL = given["url"]
SCOPES = ["https://www.googleapis.com/auth/drive", "https://www.googleapis.com/auth/spreadsheets"]
credentials = Credentials.from_service_account_info(given["key"], scopes=SCOPES)


class Here(httplib2.Http):
    """The transport that pygsheets is given: Google's origins lie at the simulator."""

    def request(self, uri, *args, **kwargs):
        for public in ("https://sheets.googleapis.com", "https://www.googleapis.com"):
            uri = uri.replace(public, URL, 1)
        return super().request(uri, *args, **kwargs)


def googles_client() -> dict:
    """Once with its own copy of the discovery document, once with the simulator's."""
    sheets = build("sheets", "v4", credentials=credentials, client_options={"api_endpoint": URL})
    made = sheets.spreadsheets().create(body={"properties": {"title": "План", "locale": "ru_RU"}}).execute()
    book = made["spreadsheetId"]
    values = sheets.spreadsheets().values()
    typed = {"values": [["1,5", "=A1*2", "01.02.2026", "+79991234567"]]}
    values.update(spreadsheetId=book, range="A1", valueInputOption="USER_ENTERED", body=typed).execute()
    many = values.batchGet(spreadsheetId=book, ranges=["A1:D1"] * 400).execute()["valueRanges"]
    try:
        values.get(spreadsheetId=book, range="Нет!A1").execute()
        refused = None
    except HttpError as err:
        refused = [err.status_code, err.reason]
    url = URL + "/$discovery/rest?version={apiVersion}"
    found = build("sheets", "v4", credentials=credentials, discoveryServiceUrl=url, static_discovery=False)
    drive = build("drive", "v3", credentials=credentials, client_options={"api_endpoint": f"{URL}/drive/v3"})
    title = found.spreadsheets().get(spreadsheetId=book, fields="properties.title").execute()
    listed = drive.files().list(q="name contains 'план' and trashed = false").execute()["files"]
    csv = drive.files().export(fileId=book, mimeType="text/csv").execute()
    drive.files().delete(fileId=book).execute()
    return {
        "ranges": len(many),
        "shown": many[0]["values"],
        "refused": refused,
        "title": title,
        "listed": [file["name"] for file in listed],
        "csv": csv.decode(),
    }


def pygsheets_client() -> dict:
    """A tab as its users handle it."""
    client = pygsheets.authorize(custom_credentials=credentials, http=Here(timeout=30))
    book = client.create("Отчёт")
    tab = book.sheet1
    tab.update_values("A1", [["name", "sum"], ["б", 2.5], ["а", 1]])
    tab.append_table(["итог", "=SUM(B2:B3)"], start="A1")
    tab.cell("A1").set_text_format("bold", True)
    tab.adjust_column_width(1, 2, 120)
    tab.sort_range("A2", "B3", 0)
    tab.merge_cells("A6", "B7")
    tab.frozen_rows = 1
    tab.create_protected_range("A1", "B1")
    tab.set_basic_filter("A1", "B3")
    tab.add_chart(("A1", "A4"), [("B1", "B4")], "Итоги")
    tab.insert_rows(1, 1, values=[["вставка"]])
    tab.replace("итог", "всего")
    two = book.add_worksheet("Два", rows=10, cols=4)
    copied = tab.copy_to(book.id)
    copied.title = "Копия"
    book.share("boss@example.com", role="reader")
    book.create_developer_metadata("kpi", "1")
    first = tab.cell("A1")
    first.fetch()
    told = {
        "values": tab.get_all_values(include_tailing_empty=False, include_tailing_empty_rows=False),
        "bold": first.text_format["bold"],
        "shape": [tab.rows, tab.cols, tab.frozen_rows],
        "protected": [area.range for area in tab.get_protected_ranges()],
        "charts": [chart.title for chart in tab.get_charts()],
        "shared": [[one["role"], one.get("emailAddress", "")] for one in book.permissions][1:],
        "metadata": [one.key for one in book.get_developer_metadata("kpi")],
    }
    tab.export(pygsheets.ExportType.CSV, path=tempfile.gettempdir(), filename=f"pygsheets-{book.id}")
    exported = Path(tempfile.gettempdir()) / f"pygsheets-{book.id}.csv"
    told["csv"] = exported.read_text(encoding="utf-8")
    exported.unlink()
    book.del_worksheet(two)
    told["tabs"] = [sheet.title for sheet in client.open_by_key(book.id).worksheets()]
    book.delete()
    told["left"] = client.spreadsheet_titles()
    return told


print(json.dumps({"google": googles_client(), "pygsheets": pygsheets_client()}))
