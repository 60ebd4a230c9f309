"""A1 notation: columns, cells and ranges, both ways. Indexes are zero-based and half-open."""

import re
from dataclasses import dataclass
from typing import Any

MAX_COLUMNS = 18_278  # ZZZ
_PART = re.compile(r"\$?([A-Za-z]{1,3})?\$?([1-9]\d*)?")
_R1C1 = re.compile(r"R([1-9]\d*)C([1-9]\d*)(?::R([1-9]\d*)C([1-9]\d*))?", re.IGNORECASE)


@dataclass(frozen=True, kw_only=True)
class Area:
    """A rectangle of one sheet; ``None`` is an open side (up to the grid's end)."""

    top: int = 0
    left: int = 0
    bottom: int | None = None
    right: int | None = None

    def within(self, rows: int, columns: int) -> "Area":
        """The same rectangle with its open sides closed by the grid."""
        return Area(
            top=self.top,
            left=self.left,
            bottom=rows if self.bottom is None else self.bottom,
            right=columns if self.right is None else self.right,
        )

    def contains(self, other: "Area") -> bool:
        """Whether a closed area lies wholly inside this closed one."""
        return (
            self.top <= other.top
            and self.left <= other.left
            and (other.bottom or 0) <= (self.bottom or 0)
            and (other.right or 0) <= (self.right or 0)
        )


def column_index(letters: str) -> int:
    """``A`` → 0, ``AA`` → 26."""
    index = 0
    for letter in letters.upper():
        index = index * 26 + ord(letter) - 64
    return index - 1


def column_letters(index: int) -> str:
    """0 → ``A``, 26 → ``AA``."""
    letters = ""
    index += 1
    while index:
        index, rest = divmod(index - 1, 26)
        letters = chr(65 + rest) + letters
    return letters


def split_title(text: str) -> tuple[str | None, str | None]:
    """``'A b'!A1:B2`` → ("A b", "A1:B2"); ``A1:B2`` → (None, "A1:B2"); ``'A b'`` → ("A b", None)."""
    quoted = re.fullmatch(r"'((?:[^']|'')*)'(?:!(.*))?", text)
    if quoted:
        return quoted[1].replace("''", "'"), quoted[2]
    title, bang, cells = text.rpartition("!")
    return (title, cells) if bang else (None, text)


def parse_cells(text: str) -> Area | None:
    """``A1:C4``, ``A1``, ``A:C``, ``2:2``, ``B2:D``, ``R1C1:R4C3`` as an area; None for other texts."""
    numbered = _R1C1.fullmatch(text)
    if numbered:
        top, left, bottom, right = (int(n) - 1 if n else None for n in numbered.groups())
        rows, columns = (
            _span(top, top if bottom is None else bottom),
            _span(left, left if right is None else right),
        )
        return Area(top=rows[0], bottom=rows[1], left=columns[0], right=columns[1])
    first, colon, second = text.partition(":")
    start, end = _PART.fullmatch(first), _PART.fullmatch(second if colon else first)
    if start is None or end is None or not any(start.groups()) or not any(end.groups()):
        return None
    if not colon and not all(start.groups()):
        return None
    rows = _span(_row(start[2]), _row(end[2]))
    columns = _span(_column(start[1]), _column(end[1]))
    return Area(top=rows[0], bottom=rows[1], left=columns[0], right=columns[1])


def _row(digits: str | None) -> int | None:
    return int(digits) - 1 if digits else None


def _column(letters: str | None) -> int | None:
    return column_index(letters) if letters else None


def _span(start: int | None, end: int | None) -> tuple[int, int | None]:
    if start is not None and end is not None:
        return min(start, end), max(start, end) + 1
    # One side given: "B2:D" leaves the rows open below row 2, "B:D5" closes them at row 5.
    return (start, None) if start is not None else (0, None if end is None else end + 1)


def area_of(grid_range: dict[str, Any]) -> Area:
    """A GridRange of the API as an area."""
    return Area(
        top=grid_range.get("startRowIndex", 0),
        left=grid_range.get("startColumnIndex", 0),
        bottom=grid_range.get("endRowIndex"),
        right=grid_range.get("endColumnIndex"),
    )


def quote_title(title: str) -> str:
    """The title as it stands before ``!``, quoted where Google quotes it."""
    if re.fullmatch(r"[A-Za-z_][A-Za-z0-9_]*", title) and not re.fullmatch(
        r"[A-Za-z]{1,3}\d+|[Rr]\d*[Cc]\d*", title
    ):
        return title
    return "'" + title.replace("'", "''") + "'"


def format_area(title: str, area: Area) -> str:
    """A closed area as Google prints it in answers: ``Tab!A1:C4``, one cell as ``Tab!A1``."""
    if area.bottom is None or area.right is None:
        raise ValueError("only a closed area has a printed form")
    start = f"{column_letters(area.left)}{area.top + 1}"
    end = f"{column_letters(area.right - 1)}{area.bottom}"
    return f"{quote_title(title)}!{start}" + ("" if start == end else f":{end}")
