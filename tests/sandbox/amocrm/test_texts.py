"""Stored JSON: the quick ways give what the plain ones give."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.amocrm.storage.texts import dumps
from sandbox.amocrm.storage.views import note_body

LEAVES = st.none() | st.booleans() | st.integers() | st.floats() | st.text()
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner) | st.dictionaries(st.text() | st.integers(), inner), max_leaves=20
)


@given(VALUES)
def test_text_is_what_json_writes_without_spaces(value: Any) -> None:
    assert dumps(value) == json.dumps(value, ensure_ascii=False, separators=(",", ":"))


def test_half_an_emoji_stays_escaped() -> None:
    assert dumps({"name": "Заявка \ud83d"}) == '{"name":"Заявка \\ud83d"}'


@pytest.mark.parametrize(
    "body",
    [
        '{"id":1,"is_pinned":false}',
        '{"id":1,"is_pinned":true}',
        '{"id":1, "is_pinned": 1}',
        '{"is_pinned":true,"id":1}',
        '{"id":1}',
        '{"params":{"is_pinned":true},"is_pinned":false}',
        '{"params":{"text":"\\"is_pinned\\":false}"}}',
    ],
)
def test_a_note_shows_its_pin_on_demand(body: str) -> None:
    row = json.loads(body)
    is_pinned = bool(row.pop("is_pinned", False))
    assert json.loads(note_body(body, pinned=False)) == row
    assert json.loads(note_body(body, pinned=True)) == {**row, "is_pinned": is_pinned}
