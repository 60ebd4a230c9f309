"""Everything about the simulator that can be turned: limits, readings of unclear points, hook faults."""

import copy
import threading
from typing import Any

from sandbox.amocrm.storage.store import Store

DEFAULTS: dict[str, Any] = {
    # requests
    "rate_limit": 7,
    "account_rate_limit": 50,
    "rate_limit_scope": "integration",
    "count_rejected": False,
    "retry_after": False,
    "ban_after": 100,
    "ban_window_s": 60,
    "banned": False,
    "payment_required": False,
    "unknown_host_status": 404,
    # tokens
    "access_ttl_s": 86400,
    "code_ttl_s": 1200,
    "refresh_ttl_s": 90 * 86400,
    "widget_token_ttl_s": 1800,
    "refresh_reuse": "dead",
    "widget_aud_port": False,
    # lists and writes
    "api_filter_enabled": None,
    "events_cap": 100,
    "events_order": "ignored",
    "visibility_delay_s": 0.0,
    "rights_reach": "everything",
    "customers_tariff": True,
    "bump_on_notes": False,
    "merge_hooks": "update_only",
    "uninstall_removes_hooks": True,
    "complex_duplicate_control": False,
    "unsorted_hooks": "unsorted_and_lead",
    "decline_lead": "bin",
    # webhooks
    "webhooks_allowed": True,
    "webhook_post_merges": False,
    "webhook_post_enables": True,
    "hook_timeout_s": 2.0,
    "hook_retry_scale": 1.0,
    "hook_disable_after": 100,
    "hook_drop_pct": 0,
    "hook_duplicate_pct": 0,
    "hook_delay_s": 0.0,
    "hook_delay_pct": 100,
    "pipeline_hook_retries": "none",
    "hook_account_first": False,
    # live traffic
    "live_speed": 0.0,
}
CHOICES = {
    "rate_limit_scope": ("integration", "account"),
    "unknown_host_status": (401, 404),
    "pipeline_hook_retries": ("none", "four"),
    "refresh_reuse": ("dead", "until_new_is_used"),
    "events_order": ("ignored", "honoured"),
    "rights_reach": ("everything", "cards"),
    "merge_hooks": ("update_only", "delete_and_update"),
    "unsorted_hooks": ("unsorted_and_lead", "unsorted_only"),
    "decline_lead": ("bin", "gone"),
}


class Switches:
    """The switches' values; changes are kept in the state."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._lock = threading.Lock()
        self._values = {**DEFAULTS, **(store.get_meta("switches") or {})}

    def __getitem__(self, name: str) -> Any:
        return self._values[name]

    def all(self) -> dict[str, Any]:
        """Every switch with its value."""
        return copy.deepcopy(self._values)

    def change(self, wanted: dict[str, Any]) -> None:
        """Set the named switches; None sets a switch back to its default. ValueError names a bad one."""
        for name, value in wanted.items():
            check(name, value)
        with self._lock:
            for name, value in wanted.items():
                self._values[name] = DEFAULTS[name] if value is None else value
            changed = {name: value for name, value in self._values.items() if value != DEFAULTS[name]}
            self._store.set_meta("switches", changed)


def check(name: str, value: Any) -> None:
    """ValueError when there is no such switch, or the value is not of its kind."""
    if name not in DEFAULTS:
        raise ValueError(f"no switch is called {name}; there are {', '.join(DEFAULTS)}")
    if value is None or (name in CHOICES and value in CHOICES[name]):
        return
    default = DEFAULTS[name]
    if isinstance(value, int | float) and not 0 <= value < 2**53:
        raise ValueError(f"{name} cannot be {value!r}")
    kind: Any = bool if isinstance(default, bool) or default is None else (int, float)
    if name in CHOICES or not isinstance(value, kind) or (kind is not bool and isinstance(value, bool)):
        raise ValueError(f"{name} cannot be {value!r}; it is {CHOICES.get(name) or default!r} by default")
