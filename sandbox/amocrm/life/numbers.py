"""Numbers for things that have no table of their own: statuses inside pipelines, enums inside fields."""

from sandbox.amocrm.life.change import Change


def next_above(change: Change, name: str, largest: int) -> int:
    """A number above `largest` and above every one this name ever gave, in this account."""
    found = change.connection.execute(
        "SELECT value FROM sequences WHERE account_id = ? AND name = ?", (change.account.id, name)
    ).fetchone()
    value = max(largest, found[0] if found else 0) + 1
    change.connection.execute(
        "INSERT OR REPLACE INTO sequences VALUES (?, ?, ?)", (change.account.id, name, value)
    )
    return int(value)
