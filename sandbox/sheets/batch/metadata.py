"""Requests about developer metadata, and the lookups that find them."""

import copy

from sandbox.sheets.a1 import Area, area_of
from sandbox.sheets.batch.common import Body, Editor, Handler, mask_of
from sandbox.sheets.book import Book, Sheet, find_range
from sandbox.sheets.errors import invalid
from sandbox.sheets.masks import overlay


def sheet_of(metadata: Body) -> int | None:
    """The tab that a piece of developer metadata belongs to, None for the whole spreadsheet."""
    location = metadata["location"]
    span = location.get("dimensionRange")
    found: int | None = span["sheetId"] if span else location.get("sheetId")
    return found


def create_developer_metadata(book: Book, body: Body, _editor: Editor) -> Body:
    metadata = copy.deepcopy(body.get("developerMetadata", {}))
    if not metadata.get("metadataKey"):
        raise invalid("developerMetadata.metadataKey must be set.")
    if metadata.get("visibility") not in ("DOCUMENT", "PROJECT"):
        raise invalid("developerMetadata.visibility must be set.")
    metadata["location"] = _location(book, metadata.get("location", {}))
    metadata.setdefault("metadataId", book.new_id())
    if any(m["metadataId"] == metadata["metadataId"] for m in book.metadata):
        raise invalid(f"Developer metadata with id {metadata['metadataId']} already exists.")
    book.metadata.append(metadata)
    return {"developerMetadata": copy.deepcopy(metadata)}


def _location(book: Book, given: Body) -> Body:
    span = given.get("dimensionRange")
    if span is not None:
        sheet = book.sheet(span.get("sheetId", 0))
        start, end = span.get("startIndex", 0), span.get("endIndex", 0)
        count = sheet.grid[sheet.dimension(span.get("dimension", "ROWS"))[1]]
        if end - start != 1 or end > count:
            raise invalid("Developer metadata can only be put on exactly one existing row or column.")
        span = {
            "sheetId": sheet.sheet_id,
            "dimension": span["dimension"],
            "startIndex": start,
            "endIndex": end,
        }
        return {"locationType": span["dimension"][:-1], "dimensionRange": span}
    if "sheetId" in given:
        return {"locationType": "SHEET", "sheetId": book.sheet(given["sheetId"]).sheet_id}
    if given.get("spreadsheet"):
        return {"locationType": "SPREADSHEET", "spreadsheet": True}
    raise invalid("developerMetadata.location must be set.")


def matching_metadata(book: Book, data_filter: Body) -> list[Body]:
    """Developer metadata that a DataFilter's lookup finds."""
    lookup = data_filter.get("developerMetadataLookup")
    if lookup is None:
        areas = filter_ranges(book, data_filter)
        return [m for m in book.metadata if any(_lies_in(m, sheet, area) for sheet, area in areas)]
    return [m for m in book.metadata if _matches(m, lookup)]


def filter_ranges(book: Book, data_filter: Body) -> list[tuple[Sheet, Area]]:
    """The areas that a DataFilter names: an A1 text, a grid range, or what found metadata lie on."""
    if "a1Range" in data_filter:
        return [find_range(book, data_filter["a1Range"])]
    if "gridRange" in data_filter:
        span = data_filter["gridRange"]
        return [(book.sheet(span.get("sheetId", 0)), area_of(span))]
    if "developerMetadataLookup" not in data_filter:
        raise invalid("A data filter must have a lookup, an A1 range or a grid range.")
    found = [m for m in book.metadata if _matches(m, data_filter["developerMetadataLookup"])]
    return [place for metadata in found for place in _places(book, metadata)]


def _places(book: Book, metadata: Body) -> list[tuple[Sheet, Area]]:
    location = metadata["location"]
    span = location.get("dimensionRange")
    if span:
        sheet = book.sheet(span["sheetId"])
        first, last = span["startIndex"], span["endIndex"]
        rows = span["dimension"] == "ROWS"
        return [(sheet, Area(top=first, bottom=last) if rows else Area(left=first, right=last))]
    if "sheetId" in location:
        return [(book.sheet(location["sheetId"]), Area())]
    return [(sheet, Area()) for sheet in book.sheets]


def _lies_in(metadata: Body, sheet: Sheet, area: Area) -> bool:
    """Whether metadata of a row, a column or a tab stand inside an area."""
    location = metadata["location"]
    if location["locationType"] == "SPREADSHEET" or sheet_of(metadata) != sheet.sheet_id:
        return False
    span = location.get("dimensionRange")
    whole_rows, whole_columns = area.left == 0 and area.right is None, area.top == 0 and area.bottom is None
    if span is None:
        return whole_rows and whole_columns
    closed = area.within(sheet.row_count, sheet.column_count)
    if span["dimension"] == "ROWS":
        return whole_rows and closed.top <= span["startIndex"] < (closed.bottom or 0)
    return whole_columns and closed.left <= span["startIndex"] < (closed.right or 0)


def _matches(metadata: Body, lookup: Body) -> bool:
    plain = ("metadataId", "metadataKey", "metadataValue", "visibility")
    if any(name in lookup and metadata.get(name) != lookup[name] for name in plain):
        return False
    if (
        lookup.get("locationType", metadata["location"]["locationType"])
        != metadata["location"]["locationType"]
    ):
        return False
    place = lookup.get("metadataLocation", {})
    if "sheetId" in place:
        # An intersecting strategy is Google's default for tabs: everything on the tab is meant.
        exact = lookup.get("locationMatchingStrategy") == "EXACT_LOCATION"
        return bool(
            (metadata["location"].get("sheetId") if exact else sheet_of(metadata)) == place["sheetId"]
        )
    return (
        "dimensionRange" not in place or metadata["location"].get("dimensionRange") == place["dimensionRange"]
    )


def update_developer_metadata(book: Book, body: Body, _editor: Editor) -> Body:
    given, mask = body.get("developerMetadata", {}), mask_of(body, "DeveloperMetadata")
    found = [m for f in body.get("dataFilters", []) for m in matching_metadata(book, f)]
    for metadata in found:
        if "location" in mask and "location" in given:
            metadata["location"] = _location(book, given["location"])
        plain = {name: below for name, below in mask.items() if name not in ("location", "metadataId")}
        overlay(metadata, given, plain)
    return {"developerMetadata": copy.deepcopy(found)}


def delete_developer_metadata(book: Book, body: Body, _editor: Editor) -> Body:
    found = matching_metadata(book, body.get("dataFilter", {}))
    ids = {m["metadataId"] for m in found}
    book.metadata = [m for m in book.metadata if m["metadataId"] not in ids]
    return {"deletedDeveloperMetadata": copy.deepcopy(found)}


HANDLERS: dict[str, Handler] = {
    "createDeveloperMetadata": create_developer_metadata,
    "updateDeveloperMetadata": update_developer_metadata,
    "deleteDeveloperMetadata": delete_developer_metadata,
}
