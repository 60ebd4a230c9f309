"""References inside formulas: found, shifted when a formula is copied, renumbered when lines move.

Formulas are texts everywhere else; what they come to is the business of ``formulas``.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, replace

from sandbox.sheets.a1 import MAX_COLUMNS, Area, column_index, column_letters, quote_title

_CELL = r"\$?[A-Za-z]{1,3}\$?[1-9]\d*"
REFERENCE = (
    r"(?:(?P<title>'(?:[^']|'')+'|[^\W\d][\w.]*)!)?"
    rf"(?P<cells>{_CELL}(?::(?:{_CELL}|\$?[A-Za-z]{{1,3}}|\$?[1-9]\d*))?"
    r"|\$?[A-Za-z]{1,3}:\$?[A-Za-z]{1,3}|\$?[1-9]\d*:\$?[1-9]\d*)(?![\w(!.])"
)
_SCAN = re.compile(rf'(?P<string>"(?:[^"]|"")*")|(?P<word>(?<![\w!.$\'])(?:{REFERENCE}))')
_CORNER = re.compile(r"(\$?)([A-Za-z]{1,3})?(\$?)([1-9]\d*)?")


@dataclass(frozen=True, kw_only=True)
class Corner:
    """One end of a reference; None is an open side, ``fixed_*`` are the dollar signs."""

    row: int | None
    column: int | None
    fixed_row: bool = False
    fixed_column: bool = False

    def printed(self) -> str:
        column = "" if self.column is None else "$" * self.fixed_column + column_letters(self.column)
        return column + ("" if self.row is None else "$" * self.fixed_row + str(self.row + 1))


@dataclass(frozen=True, kw_only=True)
class Reference:
    """A cell or a range as a formula names it; ``title`` None means the formula's own tab."""

    title: str | None
    first: Corner
    last: Corner | None

    @property
    def area(self) -> Area:
        """The rectangle that is meant, open sides kept."""
        last = self.last or self.first
        rows = _ends(self.first.row, last.row)
        columns = _ends(self.first.column, last.column)
        return Area(top=rows[0], bottom=rows[1], left=columns[0], right=columns[1])

    def printed(self) -> str:
        """As it stands in a formula."""
        prefix = "" if self.title is None else quote_title(self.title) + "!"
        return prefix + self.first.printed() + ("" if self.last is None else ":" + self.last.printed())


def _ends(first: int | None, last: int | None) -> tuple[int, int | None]:
    if first is not None and last is not None:
        return min(first, last), max(first, last) + 1
    return (first, None) if first is not None else (0, None if last is None else last + 1)


def parse_reference(title: str | None, cells: str) -> Reference:
    """The parts of a reference found by REFERENCE."""
    if title is not None and title.startswith("'"):
        title = title[1:-1].replace("''", "'")
    first, colon, last = cells.partition(":")
    return Reference(title=title, first=_corner(first), last=_corner(last) if colon else None)


def _corner(text: str) -> Corner:
    match = _CORNER.fullmatch(text)
    if match is None:
        raise ValueError(f"no corner of a range: {text}")
    sign, letters, other, digits = match.groups()
    return Corner(
        column=column_index(letters) if letters else None,
        row=int(digits) - 1 if digits else None,
        fixed_column=bool(sign and letters),
        fixed_row=bool(other and digits) or bool(sign and not letters),
    )


Change = Callable[[Reference], Reference | None]


def rewritten(formula: str, change: Change) -> str:
    """The formula with each reference put through ``change``; None from it leaves ``#REF!``."""

    def put(match: re.Match[str]) -> str:
        if match["string"] is not None:
            return match[0]
        reference = parse_reference(match["title"], match["cells"])
        changed = change(reference)
        return match[0] if changed is reference else "#REF!" if changed is None else changed.printed()

    return _SCAN.sub(put, formula)


def shifted(formula: str, rows: int, columns: int) -> str:
    """The formula as copied so many rows down and columns to the right: relative references follow."""
    if not rows and not columns:
        return formula

    def corner(old: Corner) -> Corner | None:
        row = old.row if old.row is None or old.fixed_row else old.row + rows
        column = old.column if old.column is None or old.fixed_column else old.column + columns
        if (row is not None and row < 0) or (column is not None and not 0 <= column < MAX_COLUMNS):
            return None
        return replace(old, row=row, column=column)

    def change(reference: Reference) -> Reference | None:
        first = corner(reference.first)
        last = corner(reference.last) if reference.last is not None else None
        if first is None or (reference.last is not None and last is None):
            return None
        return replace(reference, first=first, last=last)

    return rewritten(formula, change)


def _at(corner: Corner, name: str, line: int | None) -> Corner:
    return replace(corner, row=line) if name == "row" else replace(corner, column=line)


@dataclass(frozen=True, kw_only=True)
class Renumbering:
    """Lines of one dimension that got new places. ``place`` answers None for a line that is gone."""

    dimension: str
    place: Callable[[int], int | None]

    def apply(self, reference: Reference) -> Reference | None:
        """The reference after the renumbering; None when all it named is gone."""
        name = "row" if self.dimension == "ROWS" else "column"
        first, last = getattr(reference.first, name), getattr(reference.last or reference.first, name)
        if first is None and last is None:
            return reference
        if first is not None and last is not None and first > last:
            first, last = last, first
        left = self._left(first, last)
        if left is None:
            return None
        if left == (first, last):
            return reference
        start = _at(reference.first, name, left[0])
        end = _at(reference.last, name, left[1]) if reference.last is not None else None
        return replace(reference, first=start, last=end)

    def _left(self, first: int | None, last: int | None) -> tuple[int | None, int | None] | None:
        """Where the outermost of the lines that are left are now; None when none is."""
        low = first if first is not None else 0
        high = last if last is not None else low + MAX_COLUMNS
        start = next((p for line in range(low, high + 1) if (p := self.place(line)) is not None), None)
        end = next((p for line in range(high, low - 1, -1) if (p := self.place(line)) is not None), None)
        if start is None or end is None:
            return None
        return (None if first is None else start), (None if last is None else end)
