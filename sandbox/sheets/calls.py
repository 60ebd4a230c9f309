"""The API methods: one function per method id of the discovery document, in a table."""

import copy
import datetime as dt
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

from sandbox.sheets import batch, values
from sandbox.sheets.batch.common import Editor
from sandbox.sheets.batch.metadata import filter_ranges, matching_metadata
from sandbox.sheets.batch.tabs import (
    DEFAULT_PROPERTIES,
    check_spreadsheet_properties,
    copied_sheet,
    copy_title,
)
from sandbox.sheets.book import Book, find_range, new_sheet, not_found
from sandbox.sheets.errors import FORBIDDEN_TEXT, GoogleError, invalid
from sandbox.sheets.shown import View
from sandbox.sheets.store import Store
from sandbox.sheets.values import Place

Body = dict[str, Any]


@dataclass(kw_only=True)
class Call:
    """One authenticated request, already checked against the schema."""

    store: Store
    email: str
    path: dict[str, str]
    query: Body
    body: Body
    now: dt.datetime
    origin: str
    limits: Body = field(default_factory=dict)

    @property
    def book_id(self) -> str:
        return self.path["spreadsheetId"]

    @property
    def editor(self) -> Editor:
        return Editor(email=self.email, now=self.now)

    def readable(self) -> Book:
        """The spreadsheet of the call; GoogleError 404 when there is none, 403 when it is not shared."""
        return _allowed(self.store.books.get(self.book_id), self.email, write=False)

    def writing(self) -> AbstractContextManager[Book]:
        """The spreadsheet for changes, stored when the block ends; errors as ``readable``."""
        book = _allowed(self.store.books.get(self.book_id), self.email, write=True)
        book.modified_at = stamp(self.now)
        return self.store.changing(self.book_id)


def _allowed(book: Book | None, email: str, *, write: bool) -> Book:
    if book is None or book.trashed:
        raise not_found()
    role = book.role(email)
    if role is None or (write and role in ("reader", "commenter")):
        raise GoogleError(403, FORBIDDEN_TEXT)
    return book


def stamp(moment: dt.datetime) -> str:
    """A moment as Drive prints it."""
    return moment.astimezone(dt.UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def create_book(store: Store, given: Body, shared: dict[str, str], now: dt.datetime) -> Book:
    """A new spreadsheet with Google's defaults, stored."""
    check_spreadsheet_properties(given.get("properties", {}))
    book = Book(
        book_id=secrets.token_urlsafe(33).replace("_", "A").replace("-", "B"),
        properties=copy.deepcopy(DEFAULT_PROPERTIES | given.get("properties", {})),
        shared=shared,
        created_at=stamp(now),
        modified_at=stamp(now),
    )
    book.named_ranges = copy.deepcopy(given.get("namedRanges", []))
    for sheet in given.get("sheets") or [{}]:
        made = new_sheet(book, sheet.get("properties", {}))
        _fill(book, made.sheet_id, sheet, Editor(email=next(iter(shared), ""), now=now))
    store.save(book)
    return book


def _fill(book: Book, sheet_id: int, given: Body, editor: Editor) -> None:
    """Cells and merges that a spreadsheet is created with."""
    requests = []
    for data in given.get("data", []):
        start = {
            "sheetId": sheet_id,
            "rowIndex": data.get("startRow", 0),
            "columnIndex": data.get("startColumn", 0),
        }
        if data.get("rowData"):
            requests.append({"updateCells": {"start": start, "rows": data["rowData"], "fields": "*"}})
    for merge in given.get("merges", []):
        requests.append({"mergeCells": {"range": merge | {"sheetId": sheet_id}, "mergeType": "MERGE_ALL"}})
    if requests:
        batch.apply(book, requests, editor)


def _view(
    call: Call, book: Book, places: list[Place], *, grid_data: bool = False, fields: str | None = None
) -> Body:
    view = View(
        book=book,
        email=call.email,
        origin=call.origin,
        now=call.now,
        places=places,
        fields=fields,
        grid_data=grid_data,
    )
    return view.answer()


def spreadsheets_create(call: Call) -> Body:
    if not call.limits.get("service_accounts_may_create"):
        raise GoogleError(403, FORBIDDEN_TEXT)
    book = create_book(call.store, call.body, {call.email: "owner"}, call.now)
    return _view(call, book, [])


def spreadsheets_get(call: Call) -> Body:
    book = call.readable()
    places = [find_range(book, text) for text in call.query.get("ranges", [])]
    data = bool(call.query.get("includeGridData"))
    return _view(call, book, places, grid_data=data, fields=call.query.get("fields"))


def spreadsheets_get_by_filter(call: Call) -> Body:
    book = call.readable()
    places = _filtered(book, call.body.get("dataFilters", []))
    data = bool(call.body.get("includeGridData"))
    return _view(call, book, places, grid_data=data, fields=call.query.get("fields"))


def _filtered(book: Book, filters: list[Body]) -> list[Place]:
    return [place for data_filter in filters for place in filter_ranges(book, data_filter)]


def spreadsheets_batch_update(call: Call) -> Body:
    with call.writing() as book:
        replies = batch.apply(book, call.body.get("requests", []), call.editor)
    answer: Body = {"spreadsheetId": call.book_id, "replies": replies}
    if call.body.get("includeSpreadsheetInResponse"):
        places = [find_range(book, text) for text in call.body.get("responseRanges", [])]
        data = bool(call.body.get("responseIncludeGridData"))
        answer["updatedSpreadsheet"] = _view(call, book, places, grid_data=data)
    return answer


def sheets_copy_to(call: Call) -> Body:
    """Copies a tab into another spreadsheet that the caller may write."""
    source = call.readable()
    if not call.path["sheetId"].lstrip("-").isdigit():
        raise invalid(f"Invalid value at 'sheet_id' (TYPE_INT32), \"{call.path['sheetId']}\"")
    sheet = source.sheet(int(call.path["sheetId"]))
    target_id = call.body.get("destinationSpreadsheetId", "")
    target = _allowed(call.store.books.get(target_id), call.email, write=True)
    properties = copy.deepcopy(sheet.properties)
    properties |= {"title": copy_title(target, sheet.title), "sheetId": target.new_sheet_id()}
    properties["index"] = len(target.sheets)
    with call.store.changing(target_id) as book:
        made = copied_sheet(sheet, book, properties)
        return copy.deepcopy(made.properties)


def metadata_search(call: Call) -> Body:
    book = call.readable()
    found: dict[int, Body] = {}
    for data_filter in call.body.get("dataFilters", []):
        for metadata in matching_metadata(book, data_filter):
            blank: Body = {"developerMetadata": metadata, "dataFilters": []}
            found.setdefault(metadata["metadataId"], blank)["dataFilters"].append(data_filter)
    return {"matchedDeveloperMetadata": copy.deepcopy([*found.values()])} if found else {}


def metadata_get(call: Call) -> Body:
    for metadata in call.readable().metadata:
        if str(metadata["metadataId"]) == call.path["metadataId"]:
            return copy.deepcopy(metadata)
    raise not_found()


def values_get(call: Call) -> Body:
    book = call.readable()
    return values.Reader(book, call.query, call.now).read(find_range(book, call.path["range"]))


def values_batch_get(call: Call) -> Body:
    book = call.readable()
    reader = values.Reader(book, call.query, call.now)
    read = [reader.read(find_range(book, text)) for text in call.query.get("ranges", [])]
    return {"spreadsheetId": book.book_id, "valueRanges": read}


def values_batch_get_by_filter(call: Call) -> Body:
    book = call.readable()
    reader, found = values.Reader(book, call.body, call.now), []
    for data_filter in call.body.get("dataFilters", []):
        for place in filter_ranges(book, data_filter):
            found.append({"valueRange": reader.read(place), "dataFilters": [data_filter]})
    return {"spreadsheetId": book.book_id, "valueRanges": found}


def values_update(call: Call) -> Body:
    option = values.input_option(call.query.get("valueInputOption"))
    text = call.path["range"]
    with call.writing() as book:
        place = values.place_of(book, text, call.body)
        answer = values.write(book, place, call.body, option, call.editor, text=text)
    return _echoed(call, book, call.query, answer)


def _echoed(call: Call, book: Book, asked: Body, answer: Body) -> Body:
    """The answer with the written values as they are now, when the call asks for them."""
    if asked.get("includeValuesInResponse"):
        options = {
            "valueRenderOption": asked.get("responseValueRenderOption", "FORMATTED_VALUE"),
            "dateTimeRenderOption": asked.get("responseDateTimeRenderOption", "SERIAL_NUMBER"),
        }
        reader = values.Reader(book, options, call.now)
        answer["updatedData"] = reader.read(find_range(book, answer["updatedRange"]))
    return answer


def values_batch_update(call: Call) -> Body:
    option = values.input_option(call.body.get("valueInputOption"))
    answers = []
    with call.writing() as book:
        for index, data in enumerate(call.body.get("data", [])):
            with _numbered(index):
                text = data.get("range", "")
                place = find_range(book, text)
                answers.append(values.write(book, place, data, option, call.editor, text=text))
    answers = [_echoed(call, book, call.body, answer) for answer in answers]
    return _totals(call, book, answers)


@contextmanager
def _numbered(index: int) -> Iterator[None]:
    """Says in errors which item of ``data`` they are about."""
    try:
        yield
    except GoogleError as err:
        if err.code == 400 and not err.details:
            raise invalid(f"Invalid data[{index}]: {err.message}") from err
        raise


def _totals(call: Call, book: Book, answers: list[Body]) -> Body:
    sheets = {
        find_range(book, answer["updatedRange"])[0].sheet_id for answer in answers if "updatedRange" in answer
    }
    totals = {
        "totalUpdatedRows": sum(a.get("updatedRows", 0) for a in answers),
        "totalUpdatedColumns": sum(a.get("updatedColumns", 0) for a in answers),
        "totalUpdatedCells": sum(a.get("updatedCells", 0) for a in answers),
        "totalUpdatedSheets": len(sheets),
    }
    return {"spreadsheetId": call.book_id, **totals, "responses": answers}


def values_batch_update_by_filter(call: Call) -> Body:
    option = values.input_option(call.body.get("valueInputOption"))
    answers: list[Body] = []
    with call.writing() as book:
        for index, data in enumerate(call.body.get("data", [])):
            data_filter = data.get("dataFilter", {})
            with _numbered(index):
                for place in filter_ranges(book, data_filter):
                    text = data_filter.get("a1Range", "")
                    answer = values.write(book, place, data, option, call.editor, text=text)
                    answers.append(answer | {"dataFilter": data_filter})
    answers = [_echoed(call, book, call.body, answer) for answer in answers]
    shown = [{k: v for k, v in answer.items() if k != "spreadsheetId"} for answer in answers]
    return _totals(call, book, shown)


def values_append(call: Call) -> Body:
    values.input_option(call.query.get("valueInputOption"))
    with call.writing() as book:
        place = values.place_of(book, call.path["range"], call.body)
        answer = values.append(book, place, call.body, call.query, call.editor)
    _echoed(call, book, call.query, answer["updates"])
    return answer


def values_clear(call: Call) -> Body:
    with call.writing() as book:
        cleared = values.clear(book, find_range(book, call.path["range"]), call.editor)
    return {"spreadsheetId": book.book_id, "clearedRange": cleared}


def values_batch_clear(call: Call) -> Body:
    with call.writing() as book:
        places = [find_range(book, text) for text in call.body.get("ranges", [])]
        cleared = [values.clear(book, place, call.editor) for place in places]
    return {"spreadsheetId": call.book_id, "clearedRanges": cleared}


def values_batch_clear_by_filter(call: Call) -> Body:
    with call.writing() as book:
        places = _filtered(book, call.body.get("dataFilters", []))
        cleared = [values.clear(book, place, call.editor) for place in places]
    return {"spreadsheetId": call.book_id, "clearedRanges": cleared}


METHODS: dict[str, Callable[[Call], Body]] = {
    "spreadsheets.create": spreadsheets_create,
    "spreadsheets.get": spreadsheets_get,
    "spreadsheets.getByDataFilter": spreadsheets_get_by_filter,
    "spreadsheets.batchUpdate": spreadsheets_batch_update,
    "spreadsheets.sheets.copyTo": sheets_copy_to,
    "spreadsheets.developerMetadata.search": metadata_search,
    "spreadsheets.developerMetadata.get": metadata_get,
    "spreadsheets.values.get": values_get,
    "spreadsheets.values.batchGet": values_batch_get,
    "spreadsheets.values.batchGetByDataFilter": values_batch_get_by_filter,
    "spreadsheets.values.update": values_update,
    "spreadsheets.values.batchUpdate": values_batch_update,
    "spreadsheets.values.batchUpdateByDataFilter": values_batch_update_by_filter,
    "spreadsheets.values.append": values_append,
    "spreadsheets.values.clear": values_clear,
    "spreadsheets.values.batchClear": values_batch_clear,
    "spreadsheets.values.batchClearByDataFilter": values_batch_clear_by_filter,
}
# What counts against the quota of reads; the rest are writes.
READS = frozenset(
    name for name in METHODS if name.endswith(("get", "Get", "search", "getByDataFilter", "GetByDataFilter"))
)
