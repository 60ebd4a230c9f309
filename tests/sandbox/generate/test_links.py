"""Cards show each other from both sides, and `links` says the same."""

from tests.sandbox.generate.account import Account, Row

Pair = tuple[int, int]


def _visible(rows: list[Row]) -> list[Row]:
    return [row for row in rows if not row["is_deleted"] and "_merged_into" not in row]


def _told(account: Account, one: str, other: str) -> list[Pair]:
    """(id of one, id of the other) as `links` tells them."""
    return sorted(
        (row["entity_id"], row["to_entity_id"])
        for row in account.rows("links")
        if (row["entity_type"], row["to_entity_type"]) == (one, other)
    )


def _shown(rows: list[Row], other: str) -> list[Pair]:
    return sorted((row["id"], each["id"]) for row in rows for each in row["_embedded"][other])


def _turned(pairs: list[Pair]) -> list[Pair]:
    return sorted((other, one) for one, other in pairs)


def test_links_are_the_same_from_every_side(any_account: Account) -> None:
    cards = {name: _visible(any_account.rows(name)) for name in ("contacts", "companies", "customers")}
    cards["leads"] = any_account.shown()
    for one, other in (
        ("leads", "contacts"), ("leads", "companies"), ("contacts", "companies"), ("customers", "contacts"),
        ("customers", "companies"),
    ):  # fmt: skip
        pairs = _shown(cards[one], other)
        assert len(pairs) == len(set(pairs))
        assert pairs == _turned(_shown(cards[other], one)) == _told(any_account, one, other), (one, other)


def test_nothing_visible_leads_to_what_is_gone(any_account: Account) -> None:
    kinds = ("contacts", "companies", "customers")
    there = {name: {row["id"] for row in _visible(any_account.rows(name))} for name in kinds}
    for lead in any_account.shown():
        for kind in ("contacts", "companies"):
            assert {each["id"] for each in lead["_embedded"][kind]} <= there[kind]


def test_one_contact_of_a_lead_is_the_main_one(any_account: Account) -> None:
    for lead in any_account.leads:
        mains = [each["is_main"] for each in lead["_embedded"]["contacts"]]
        assert mains == [True, *[False] * (len(mains) - 1)][: len(mains)]
        assert len(lead["_embedded"]["companies"]) <= 1


def test_elements_hang_on_leads_with_their_quantities(any_account: Account) -> None:
    elements = {row["id"]: row["catalog_id"] for row in any_account.rows("catalog_elements")}
    shown = []
    for lead in any_account.shown():
        for each in lead["_embedded"]["catalog_elements"]:
            assert elements[each["id"]] == each["metadata"]["catalog_id"]
            assert each["metadata"]["quantity"] > 0
            shown.append((lead["id"], each["id"]))
    assert sorted(shown) == _told(any_account, "leads", "catalog_elements")
    catalogs = {row["id"] for row in any_account.rows("catalogs")}
    assert set(elements.values()) <= catalogs


def test_a_card_that_came_back_says_so_in_the_log(account: Account) -> None:
    told = {
        (event["entity_type"], event["entity_id"], *event["value_after"][0]["link"]["entity"].values())
        for event in account.events
        if event["type"] == "entity_linked"
    }
    assert told
    assert told == {(other, other_id, one, one_id) for one, one_id, other, other_id in told}
