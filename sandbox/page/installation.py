"""Whether the hosted widget is installed in the account, and the settings its user saved."""

import threading
from typing import Any


class Installation:
    """One widget's state in the account; a fresh page starts with it installed and nothing filled in."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._active = True
        self._fields: dict[str, Any] = {}

    def change(self, *, active: bool | None = None, fields: dict[str, Any] | None = None) -> None:
        """Set what is named."""
        with self._lock:
            self._active = self._active if active is None else active
            self._fields = dict(self._fields if fields is None else fields)

    def active(self) -> bool:
        """True while the widget is installed and not switched off."""
        with self._lock:
            return self._active

    def fields(self) -> dict[str, Any]:
        """The saved settings by field name."""
        with self._lock:
            return dict(self._fields)
