"""batchUpdate requests about what hangs on ranges: protection, names, filters, rules, metadata."""

import copy
from collections.abc import Callable
from typing import Any

from sandbox.sheets.batch_cells import area_in
from sandbox.sheets.book import Book, Sheet
from sandbox.sheets.errors import invalid
from sandbox.sheets.masks import overlay, parse_mask

Body = dict[str, Any]


def sheet_of(metadata: Body) -> int | None:
    """The tab that a piece of developer metadata belongs to, None for the whole spreadsheet."""
    location = metadata["location"]
    span = location.get("dimensionRange")
    found: int | None = span["sheetId"] if span else location.get("sheetId")
    return found


def _sheet_with(book: Book, kind: str, id_name: str, wanted: Any) -> tuple[Sheet, Body]:
    for sheet in book.sheets:
        for item in sheet.extras.get(kind, []):
            if item.get(id_name) == wanted:
                return sheet, item
    raise invalid(f"No {kind} with id: {wanted}")


def add_protected_range(book: Book, body: Body, email: str) -> Body:
    protected = copy.deepcopy(body.get("protectedRange", {}))
    sheet = book.sheet(protected.setdefault("range", {}).get("sheetId", 0))
    protected["range"].setdefault("sheetId", sheet.sheet_id)
    area_in(sheet, protected["range"])
    protected.setdefault("protectedRangeId", book.new_id())
    if not protected.get("warningOnly"):
        editors = protected.setdefault("editors", {}).setdefault("users", [])
        if email not in editors:
            editors.append(email)
    sheet.extras.setdefault("protectedRanges", []).append(protected)
    return {"protectedRange": copy.deepcopy(protected)}


def update_protected_range(book: Book, body: Body, _email: str) -> None:
    given = body.get("protectedRange", {})
    _, item = _sheet_with(book, "protectedRanges", "protectedRangeId", given.get("protectedRangeId"))
    overlay(item, given, parse_mask(body.get("fields", "*")))


def delete_protected_range(book: Book, body: Body, _email: str) -> None:
    sheet, item = _sheet_with(book, "protectedRanges", "protectedRangeId", body.get("protectedRangeId"))
    sheet.extras["protectedRanges"].remove(item)


def add_named_range(book: Book, body: Body, _email: str) -> Body:
    named = copy.deepcopy(body.get("namedRange", {}))
    sheet = book.sheet(named.setdefault("range", {}).get("sheetId", 0))
    named["range"].setdefault("sheetId", sheet.sheet_id)
    area_in(sheet, named["range"])
    if any(n["name"].casefold() == named.get("name", "").casefold() for n in book.named_ranges):
        raise invalid(f"A named range with the name {named['name']} already exists.")
    named.setdefault("namedRangeId", str(book.new_id()))
    book.named_ranges.append(named)
    return {"namedRange": copy.deepcopy(named)}


def delete_named_range(book: Book, body: Body, _email: str) -> None:
    kept = [n for n in book.named_ranges if n["namedRangeId"] != body.get("namedRangeId")]
    if len(kept) == len(book.named_ranges):
        raise invalid(f"No named range with id: {body.get('namedRangeId')}")
    book.named_ranges = kept


def set_basic_filter(book: Book, body: Body, _email: str) -> None:
    given = copy.deepcopy(body.get("filter", {}))
    sheet = book.sheet(given.get("range", {}).get("sheetId", 0))
    sheet.extras["basicFilter"] = given


def clear_basic_filter(book: Book, body: Body, _email: str) -> None:
    book.sheet(body.get("sheetId", 0)).extras.pop("basicFilter", None)


def add_conditional_format(book: Book, body: Body, _email: str) -> None:
    rule = copy.deepcopy(body.get("rule", {}))
    if not rule.get("ranges"):
        raise invalid("rule.ranges must not be empty.")
    sheet = book.sheet(rule["ranges"][0].get("sheetId", 0))
    sheet.extras.setdefault("conditionalFormats", []).insert(body.get("index", 0), rule)


def add_banding(book: Book, body: Body, _email: str) -> Body:
    banded = copy.deepcopy(body.get("bandedRange", {}))
    sheet = book.sheet(banded.get("range", {}).get("sheetId", 0))
    banded.setdefault("bandedRangeId", book.new_id())
    sheet.extras.setdefault("bandedRanges", []).append(banded)
    return {"bandedRange": copy.deepcopy(banded)}


def delete_banding(book: Book, body: Body, _email: str) -> None:
    sheet, item = _sheet_with(book, "bandedRanges", "bandedRangeId", body.get("bandedRangeId"))
    sheet.extras["bandedRanges"].remove(item)


def create_developer_metadata(book: Book, body: Body, _email: str) -> Body:
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
        raise invalid("Only developerMetadataLookup is supported in this filter.")
    return [m for m in book.metadata if _matches(m, lookup)]


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


def update_developer_metadata(book: Book, body: Body, _email: str) -> Body:
    given, mask = body.get("developerMetadata", {}), parse_mask(body.get("fields", "*"))
    found = [m for f in body.get("dataFilters", []) for m in matching_metadata(book, f)]
    for metadata in found:
        if "location" in mask and "location" in given:
            metadata["location"] = _location(book, given["location"])
        plain = {name: below for name, below in mask.items() if name not in ("location", "metadataId")}
        overlay(metadata, given, plain)
    return {"developerMetadata": copy.deepcopy(found)}


def delete_developer_metadata(book: Book, body: Body, _email: str) -> Body:
    found = matching_metadata(book, body.get("dataFilter", {}))
    ids = {m["metadataId"] for m in found}
    book.metadata = [m for m in book.metadata if m["metadataId"] not in ids]
    return {"deletedDeveloperMetadata": copy.deepcopy(found)}


HANDLERS: dict[str, Callable[[Book, Body, str], Body | None]] = {
    "addProtectedRange": add_protected_range,
    "updateProtectedRange": update_protected_range,
    "deleteProtectedRange": delete_protected_range,
    "addNamedRange": add_named_range,
    "deleteNamedRange": delete_named_range,
    "setBasicFilter": set_basic_filter,
    "clearBasicFilter": clear_basic_filter,
    "addConditionalFormatRule": add_conditional_format,
    "addBanding": add_banding,
    "deleteBanding": delete_banding,
    "createDeveloperMetadata": create_developer_metadata,
    "updateDeveloperMetadata": update_developer_metadata,
    "deleteDeveloperMetadata": delete_developer_metadata,
}
