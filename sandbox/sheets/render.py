"""How a cell is shown: FORMATTED_VALUE, UNFORMATTED_VALUE and FORMULA of the values calls.

``effective`` is the ExtendedValue that the cell comes to (``formulas``); the format stays the cell's own.
"""

from typing import Any

from sandbox.sheets.entered import language
from sandbox.sheets.functions import shown_error
from sandbox.sheets.patterns import general, moment, shown_number

_NUMBER_KINDS = {
    "PERCENT": "0.00%",
    "CURRENCY": "#,##0.00",
    "NUMBER": "#,##0.00",
    "SCIENTIFIC": "0.00E+00",
}
_DATE_KINDS = {"DATE": "dd.mm.yyyy", "TIME": "h:mm:ss", "DATE_TIME": "dd.mm.yyyy h:mm:ss"}


def formula_text(cell: dict[str, Any]) -> str | None:
    """The formula, None for other cells."""
    formula: str | None = cell.get("userEnteredValue", {}).get("formulaValue")
    return formula


def plain_value(value: dict[str, Any]) -> Any:
    """An ExtendedValue without its kind: number, text or boolean; errors as shown, formulas and {} as ""."""
    for name in ("numberValue", "stringValue", "boolValue"):
        if name in value:
            return value[name]
    return shown_error(value["errorValue"]["type"]) if "errorValue" in value else ""


def shown_value(
    cell: dict[str, Any], effective: dict[str, Any], option: str, moments: str, locale: str
) -> Any:
    """The value under a ValueRenderOption and a DateTimeRenderOption."""
    if option == "FORMULA" and (formula := formula_text(cell)):
        return formula
    value = plain_value(effective)
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    if option in ("UNFORMATTED_VALUE", "FORMULA"):
        kind = _format(cell).get("type", "")
        as_text = is_number and kind in _DATE_KINDS and moments != "SERIAL_NUMBER"
        return shown_text(cell, effective, locale) if as_text else value
    return shown_text(cell, effective, locale)


def _format(cell: dict[str, Any]) -> dict[str, Any]:
    number_format: dict[str, Any] = cell.get("userEnteredFormat", {}).get("numberFormat", {})
    return number_format


def shown_text(cell: dict[str, Any], effective: dict[str, Any], locale: str) -> str:
    """The text a person sees in the cell."""
    value = plain_value(effective)
    if isinstance(value, bool):
        names = ("ИСТИНА", "ЛОЖЬ") if language(locale) == "ru" else ("TRUE", "FALSE")
        return names[0] if value else names[1]
    if isinstance(value, str):
        return value
    kind, pattern = _format(cell).get("type", ""), _format(cell).get("pattern", "")
    if kind in _DATE_KINDS:
        return moment(value, pattern or _DATE_KINDS[kind], language(locale))
    if kind == "TEXT" or not (pattern or kind in _NUMBER_KINDS):
        return general(value, language(locale))
    return shown_number(value, pattern or _NUMBER_KINDS[kind], language(locale))
