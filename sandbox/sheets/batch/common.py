"""What the requests of a batchUpdate share: who asks, masks, areas, and things that are found by an id."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from sandbox.sheets.a1 import Area, area_of
from sandbox.sheets.book import Book, Sheet
from sandbox.sheets.errors import invalid
from sandbox.sheets.masks import Mask, check_mask, parse_mask

Body = dict[str, Any]


@dataclass(frozen=True, kw_only=True)
class Editor:
    """Who changes a spreadsheet, and when."""

    email: str
    now: dt.datetime


Handler = Callable[[Book, Body, Editor], Body | None]


def mask_of(body: Body, schema: str | None = None) -> Mask:
    """The ``fields`` of a request; GoogleError 400 when it names nothing, or nothing of the schema."""
    if not body.get("fields"):
        raise invalid("At least one field must be listed in 'fields'. (Use '*' to indicate all fields.)")
    mask = parse_mask(body["fields"])
    if schema is not None:
        check_mask(mask, schema, "fields")
    return mask


def area_in(sheet: Sheet, grid_range: Body) -> Area:
    """A GridRange closed by the grid; GoogleError 400 when it starts outside or is empty."""
    area = area_of(grid_range).within(sheet.row_count, sheet.column_count)
    bottom, right = area.bottom or 0, area.right or 0
    if area.top < 0 or area.left < 0:
        raise invalid("range indexes must not be negative.")
    if area.top >= sheet.row_count or area.left >= sheet.column_count:
        raise invalid(
            f"range is outside of the grid: row {area.top} of {sheet.row_count}, "
            f"column {area.left} of {sheet.column_count}."
        )
    if bottom <= area.top or right <= area.left:
        raise invalid("range must not be empty.")
    return Area(
        top=area.top,
        left=area.left,
        bottom=min(bottom, sheet.row_count),
        right=min(right, sheet.column_count),
    )


def editable(book: Book, grid_range: Body, editor: Editor) -> tuple[Sheet, Area]:
    """The tab and the closed area of a GridRange that this person may edit; GoogleError 400 otherwise."""
    sheet = book.sheet(grid_range.get("sheetId", 0))
    area = area_in(sheet, grid_range)
    book.check_editable(editor.email, sheet, area)
    return sheet, area


def rows_of(area: Area) -> range:
    """Row indexes of a closed area."""
    return range(area.top, area.bottom or 0)


def columns_of(area: Area) -> range:
    """Column indexes of a closed area."""
    return range(area.left, area.right or 0)


def grid_range(sheet: Sheet, area: Area) -> Body:
    """A closed area as a GridRange of the API."""
    return {
        "sheetId": sheet.sheet_id,
        "startRowIndex": area.top,
        "endRowIndex": area.bottom,
        "startColumnIndex": area.left,
        "endColumnIndex": area.right,
    }


def item_by_id(book: Book, kind: str, id_name: str, wanted: Any) -> tuple[Sheet, Body]:
    """The tab and the thing of this kind with this id; GoogleError 400 when there is none."""
    for sheet in book.sheets:
        for item in sheet.extras.get(kind, []):
            if item.get(id_name) == wanted:
                return sheet, item
    raise invalid(f"No {kind} with id: {wanted}")


def check_new_id(book: Book, kind: str, id_name: str, item: Body) -> None:
    """Gives a new thing an id of its own; GoogleError 400 when the given one is taken."""
    taken = {one.get(id_name) for sheet in book.sheets for one in sheet.extras.get(kind, [])}
    if item.setdefault(id_name, book.new_id()) in taken:
        raise invalid(f"{kind} with id {item[id_name]} already exists.")
