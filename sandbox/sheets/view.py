"""A spreadsheet as a page for people: tabs, column letters, row numbers, cells as they are shown."""

from datetime import datetime
from html import escape
from typing import Any

from werkzeug.wrappers import Response

from sandbox.sheets.a1 import column_letters
from sandbox.sheets.book import Book, Sheet
from sandbox.sheets.formulas import Evaluator
from sandbox.sheets.render import formula_text, plain_value, shown_text
from sandbox.sheets.store import Store

_STYLE = """
*{box-sizing:border-box}html,body{margin:0;height:100%}
body{font:13px/1.35 Arial,sans-serif;color:#202124;display:flex;flex-direction:column;background:#f9fbfd}
header{padding:10px 16px;display:flex;align-items:center;gap:12px}
header .mark{width:26px;height:34px;border-radius:3px;background:#188038;position:relative}
header .mark:after{content:"";position:absolute;inset:11px 5px 7px;border:2px solid #fff;
 background:linear-gradient(#fff,#fff) center/2px 100% no-repeat,
  linear-gradient(#fff,#fff) center/100% 2px no-repeat}
header h1{font-size:18px;font-weight:400;margin:0}header small{color:#5f6368}
main{flex:1;overflow:auto;background:#fff;border-top:1px solid #c0c0c0}
section{display:none}section:target,section.first{display:block}
body:has(section:target) section.first:not(:target){display:none}
table{border-collapse:separate;border-spacing:0;table-layout:fixed;width:0}
th,td{border-right:1px solid #e2e3e3;border-bottom:1px solid #e2e3e3;padding:2px 6px;height:22px;
 white-space:nowrap;
 overflow:hidden;text-overflow:ellipsis}
thead th{position:sticky;top:0;background:#f8f9fa;font-weight:400;color:#5f6368;z-index:2;text-align:center}
tbody th{position:sticky;left:0;background:#f8f9fa;font-weight:400;color:#5f6368;
 text-align:center}
tr.frozen td{position:sticky;top:22px;background:#fff;z-index:1}
tr.frozen.last td{border-bottom:3px solid #bdc1c6}
td.n{text-align:right;font-variant-numeric:tabular-nums}td.f{color:#5f6368;font-style:italic}
nav{display:flex;gap:2px;padding:0 40px;background:#f9fbfd;border-top:1px solid #c0c0c0;overflow-x:auto}
nav a{padding:9px 16px;text-decoration:none;color:#444746;border-right:1px solid #e2e3e3;white-space:nowrap}
nav a:hover{background:#e8eaed}
"""
_ACTIVE = "{background:#e1e9f7;color:#0b57d0;font-weight:700}"
_SHOWN_ROWS = 2_000


def answer(store: Store, path: str, now: datetime) -> Response:
    """The page of ``/spreadsheets/d/{id}`` (whatever follows the id)."""
    book = store.books.get(path.removeprefix("/spreadsheets/d/").split("/")[0])
    if book is None:
        return Response(
            "<h1>404</h1><p>No such spreadsheet.</p>", status=404, content_type="text/html; charset=UTF-8"
        )
    return Response(page(book, now), content_type="text/html; charset=UTF-8")


def page(book: Book, now: datetime) -> str:
    """The whole spreadsheet as one page without scripts."""
    values = Evaluator(book, now)
    tabs = [sheet for sheet in book.sheets if not sheet.properties.get("hidden")]
    # People come to read: the page opens at the first tab that has something in it.
    shown = next((sheet for sheet in tabs if sheet.used() != (0, 0)), tabs[0] if tabs else None)
    links = "".join(f'<a href="#gid={s.sheet_id}">{escape(s.title)}</a>' for s in tabs)
    active = (
        f'body:not(:has(section:target)) nav a[href="#gid={shown.sheet_id}"]{_ACTIVE}' if shown else ""
    ) + "".join(
        f'body:has(section[id="gid={s.sheet_id}"]:target) nav a[href="#gid={s.sheet_id}"]{_ACTIVE}'
        for s in tabs
    )
    sections = "".join(_section(values, sheet, first=sheet is shown) for sheet in tabs)
    title = escape(str(book.properties["title"]))
    return (
        f'<!doctype html><html lang="{escape(book.properties["locale"][:2])}"><head><meta charset="utf-8">'
        f"<title>{title}</title><style>{_STYLE}{active}</style></head><body>"
        f'<header><div class="mark"></div><h1>{title}</h1><small>{_changed(book)}</small></header>'
        f"<main>{sections}</main><nav>{links}</nav></body></html>"
    )


def _changed(book: Book) -> str:
    """When the spreadsheet last changed, as a person reads it (UTC)."""
    russian = book.properties["locale"].startswith("ru")
    try:
        moment = datetime.fromisoformat(book.modified_at)
    except ValueError:
        return escape(book.modified_at)
    if russian:
        return f"изменено {moment:%d.%m.%Y %H:%M} UTC"
    return f"changed {moment:%Y-%m-%d %H:%M} UTC"


def _section(values: Evaluator, sheet: Sheet, *, first: bool) -> str:
    used_rows, used_columns = sheet.used()
    rows = range(min(max(used_rows + 3, 20), sheet.row_count, _SHOWN_ROWS))
    hidden = {c for c, p in sheet.columns.items() if p.get("hiddenByUser")}
    columns = [c for c in range(min(max(used_columns + 2, 10), sheet.column_count)) if c not in hidden]
    head = "".join(f"<th>{column_letters(c)}</th>" for c in columns)
    widths = "".join(
        f'<col style="width:{sheet.columns.get(c, {}).get("pixelSize", 100)}px">' for c in columns
    )
    body = "".join(_row(values, sheet, row, columns) for row in rows)
    kind = ' class="first"' if first else ""
    return (
        f'<section id="gid={sheet.sheet_id}"{kind}><table><col style="width:46px">{widths}'
        f"<thead><tr><th></th>{head}</tr></thead><tbody>{body}</tbody></table></section>"
    )


def _row(values: Evaluator, sheet: Sheet, row: int, columns: list[int]) -> str:
    frozen = sheet.grid.get("frozenRowCount", 0)
    kind = ' class="frozen last"' if row == frozen - 1 else ' class="frozen"' if row < frozen else ""
    cells = "".join(_cell(values, sheet, row, column) for column in columns)
    return f"<tr{kind}><th>{row + 1}</th>{cells}</tr>"


def _cell(values: Evaluator, sheet: Sheet, row: int, column: int) -> str:
    cell = sheet.cell(row, column)
    effective = values.effective(sheet, row, column)
    value = plain_value(effective)
    number = isinstance(value, int | float) and not isinstance(value, bool)
    text = escape(shown_text(cell, effective, values.book.properties["locale"]))
    formula = formula_text(cell)
    if formula is not None:
        # A formula that is not computed shows itself: better than a blank.
        kinds = "f n" if number else "f"
        return f'<td class="{kinds}" title="{escape(formula)}"{_style(cell)}>{text or escape(formula)}</td>'
    return f"<td{' class=n' if number else ''}{_style(cell)}>{text}</td>"


def _style(cell: dict[str, Any]) -> str:
    look = cell.get("userEnteredFormat", {})
    text = look.get("textFormat", {})
    parts = ["font-weight:700"] if text.get("bold") else []
    parts += ["font-style:italic"] if text.get("italic") else []
    for name, colour in (("background", look.get("backgroundColor")), ("color", text.get("foregroundColor"))):
        if colour:
            channels = ",".join(str(round(255 * colour.get(c, 0))) for c in ("red", "green", "blue"))
            parts.append(f"{name}:rgb({channels})")
    if look.get("wrapStrategy") == "WRAP":
        parts.append("white-space:normal")
    align = look.get("horizontalAlignment")
    parts += [f"text-align:{align.lower()}"] if align in ("LEFT", "CENTER", "RIGHT") else []
    return f' style="{";".join(parts)}"' if parts else ""
