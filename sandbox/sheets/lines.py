"""Rows and columns that come, go and move; formulas, ranges and metadata follow them."""

from typing import Any

from sandbox.sheets.book import Book, GridRange, Sheet
from sandbox.sheets.errors import invalid
from sandbox.sheets.references import Reference, Renumbering

RANGED = ("protectedRanges", "merges", "bandedRanges", "conditionalFormats", "filterViews", "tables")


def insert_lines(book: Book, sheet: Sheet, dimension: str, start: int, count: int) -> None:
    """Makes room for ``count`` empty rows or columns before ``start``; what lies behind moves on."""
    _, count_name = sheet.dimension(dimension)
    sheet.grid[count_name] += count
    book.check_size()
    _renumber(book, sheet, dimension, lambda index: index if index < start else index + count)
    for span in _spans(book, sheet, dimension):
        for side, limit in ((0, start), (1, start + 1)):
            name = span[1][side]
            if span[0].get(name) is not None and span[0][name] >= limit:
                span[0][name] += count


def delete_lines(book: Book, sheet: Sheet, dimension: str, start: int, end: int) -> None:
    """Takes rows or columns away with everything in them; GoogleError 400 when none would be left."""
    _, count_name = sheet.dimension(dimension)
    if end - start >= sheet.grid[count_name]:
        raise invalid(f"You can't delete all the {dimension.lower()} on the sheet.")
    sheet.grid[count_name] -= end - start
    _renumber(book, sheet, dimension, lambda i: i if i < start else (None if i < end else i - (end - start)))
    for span in _spans(book, sheet, dimension):
        for name in span[1]:
            if span[0].get(name) is not None:
                span[0][name] = _pulled(span[0][name], start, end)
    _drop_empty(book, sheet, dimension)


def _drop_empty(book: Book, sheet: Sheet, dimension: str) -> None:
    """Forgets what hung on lines that are all gone: a range without a line is no range."""
    names = _SPAN_NAMES[dimension]

    def alive(span: GridRange) -> bool:
        return bool(span.get(names[0], 0) < span.get(names[1], 1 << 40))

    book.named_ranges = [
        n for n in book.named_ranges if n["range"].get("sheetId", 0) != sheet.sheet_id or alive(n["range"])
    ]
    for kind in RANGED:
        for item in list(sheet.extras.get(kind, [])):
            if "ranges" in item:
                item["ranges"] = [span for span in item["ranges"] if alive(span)]
            if not (item.get("ranges", True) and alive(item.get("range", item if kind == "merges" else {}))):
                sheet.extras[kind].remove(item)


def move_lines(book: Book, sheet: Sheet, dimension: str, start: int, end: int, to: int) -> None:
    """Moves rows or columns before the line that is now ``to``."""
    _, count_name = sheet.dimension(dimension)
    order = list(range(sheet.grid[count_name]))
    moved, rest = order[start:end], order[:start] + order[end:]
    at = to if to <= start else to - (end - start)
    order = rest[:at] + moved + rest[at:]
    places = {old: new for new, old in enumerate(order)}
    _renumber(book, sheet, dimension, lambda index: places.get(index, index))


def _pulled(index: int, start: int, end: int) -> int:
    return index if index <= start else max(start, index - (end - start))


def _renumber(book: Book, sheet: Sheet, dimension: str, place: Any) -> None:
    properties, _ = sheet.dimension(dimension)
    _rekey(properties, place)
    if dimension == "ROWS":
        _rekey(sheet.rows, place)
    else:
        for cells in sheet.rows.values():
            _rekey(cells, place)
    sheet.dirty = None
    renumbering = Renumbering(dimension=dimension, place=place)

    def follow(home: Sheet, reference: Reference) -> Reference | None:
        meant = home if reference.title is None else book.by_title(reference.title)
        return renumbering.apply(reference) if meant is sheet else reference

    book.rewrite_formulas(follow)
    book.metadata = [m for m in book.metadata if _moved_metadata(m, sheet, dimension, place)]


def _rekey(lines: dict[int, Any], place: Any) -> None:
    moved = {place(index): value for index, value in lines.items()}
    lines.clear()
    lines.update({index: value for index, value in moved.items() if index is not None})


def _moved_metadata(metadata: dict[str, Any], sheet: Sheet, dimension: str, place: Any) -> bool:
    span = metadata["location"].get("dimensionRange")
    if not span or span["sheetId"] != sheet.sheet_id or span["dimension"] != dimension:
        return True
    new = place(span["startIndex"])
    if new is None:
        return False
    span["startIndex"], span["endIndex"] = new, new + 1
    return True


_SPAN_NAMES = {
    "ROWS": ("startRowIndex", "endRowIndex"),
    "COLUMNS": ("startColumnIndex", "endColumnIndex"),
}


def _spans(book: Book, sheet: Sheet, dimension: str) -> list[tuple[dict[str, Any], tuple[str, str]]]:
    names = _SPAN_NAMES[dimension]
    found = [n["range"] for n in book.named_ranges if n["range"].get("sheetId", 0) == sheet.sheet_id]
    for kind in RANGED:
        for item in sheet.extras.get(kind, []):
            found.extend(item["ranges"] if "ranges" in item else [item.get("range", item)])
    if "basicFilter" in sheet.extras:
        found.append(sheet.extras["basicFilter"].setdefault("range", {"sheetId": sheet.sheet_id}))
    return [(span, names) for span in found]
