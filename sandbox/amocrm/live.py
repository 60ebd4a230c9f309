"""Live traffic: what a sales department does all day, one action about every two seconds times the speed."""

# ruff: noqa: S608 (names in SQL come from our own tables, values are bound)

import random
import threading
from collections.abc import Callable
from typing import Any

from sandbox.amocrm.life import actions, cards
from sandbox.amocrm.life.change import Change, Impossible, Missing, changing
from sandbox.amocrm.storage import accounts
from sandbox.amocrm.vocabulary import CLOSED, UNSORTED_TYPE, Row
from sandbox.amocrm.world import World

ACTION_EVERY_S = 2.0
_OPEN = "hidden = 0 AND status_id NOT IN (142, 143)"
_NAMES = (
    "Заявка с сайта",
    "Звонок с рекламы",
    "Повторный заказ",
    "Опт: запрос цены",
    "Консультация",
    "Замер",
)
_LINES = {
    "in": ("Здравствуйте! Сколько стоит?", "А доставка есть?", "Когда будет готово?", "Спасибо"),
    "out": ("Добрый день! Сейчас посчитаю.", "Да, завтра.", "Отправили счёт на почту."),
}


class Live:
    """A thread that acts while the switch `live_speed` is above 0."""

    def __init__(self, world: World) -> None:
        self._world = world
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._work, daemon=True)
        count = world.store.get_meta("live_count") or 0
        self._random = random.Random(f"{world.accounts.all()[0].id}:{count}")

    def start(self) -> None:
        """Begin to act."""
        self._thread.start()

    def stop(self) -> None:
        """Stop after the present action."""
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def _work(self) -> None:
        done = self._world.store.get_meta("live_count") or 0
        while True:
            speed = float(self._world.switches["live_speed"])
            pause_s = self._random.uniform(0.5, 1.5) * ACTION_EVERY_S / speed if speed > 0 else 0.5
            if self._stop.wait(pause_s):
                return
            if speed > 0:
                self.act()
                done += 1
                self._world.store.set_meta("live_count", done)

    def act(self) -> str | None:
        """One action of a random person in a random account; its name, or None for nothing to do."""
        account = self._random.choice(self._world.accounts.all())
        with self._world.store.read() as connection:
            people = [
                row[0]
                for row in connection.execute(
                    "SELECT id FROM users WHERE account_id = ?"
                    " AND coalesce(json_extract(body, '$.rights.is_active'), 1) ORDER BY id",
                    (account.id,),
                )
            ] or [accounts.first_admin(connection, account.id)]
        person = self._random.choice(people)
        name, action = self._random.choices(_CHOICES, [weight for *_, weight in _WEIGHTED])[0]
        try:
            with changing(self._world, account, person) as change:
                return name if action(change, self._random) else None
        except (Impossible, Missing):
            return None  # the account lacks what the action needs, for instance a second pipeline


def _some(change: Change, rng: random.Random, table: str, where: str, *values: Any) -> Row | None:
    """A row near a random id; cheap in an account of any size."""
    lowest, highest = change.connection.execute(
        f'SELECT min(id), max(id) FROM "{table}" WHERE account_id = ?', (change.account.id,)
    ).fetchone()
    if not isinstance(lowest, int) or not isinstance(highest, int):
        return None  # none at all, or ids that are texts
    start = rng.randint(lowest, highest)
    for sign, order in ((">=", "ASC"), ("<", "DESC")):
        found = change.connection.execute(
            f'SELECT id FROM "{table}" WHERE account_id = ? AND id {sign} ? AND {where}'
            f" ORDER BY id {order} LIMIT 1",
            (change.account.id, start, *values),
        ).fetchone()
        if found:
            return change.get(table, found[0])
    return None


def _open_lead(change: Change, rng: random.Random) -> Row | None:
    lead = _some(change, rng, "leads", _OPEN)
    if lead is not None and lead.get("responsible_user_id"):
        change.by = int(lead["responsible_user_id"])
    return lead


def _new_lead(change: Change, rng: random.Random) -> bool:
    contact = _some(change, rng, "contacts", "hidden = 0")
    given: Row = {
        "name": f"{rng.choice(_NAMES)} {rng.randint(100, 9999)}",
        "price": rng.randint(3, 300) * 1000,
    }
    if contact is not None:
        given["contact_id"] = contact["id"]
    actions.run(change, "create_lead", {**given, "responsible_user_id": change.by})
    return True


def _step(change: Change, rng: random.Random, way: int) -> bool:
    lead = _open_lead(change, rng)
    if lead is None:
        return False
    stages = [status["id"] for status in cards.statuses_of(change, lead["pipeline_id"])
              if status["id"] not in CLOSED and status.get("type") != UNSORTED_TYPE]  # fmt: skip
    if not stages:
        return False
    place = stages.index(lead["status_id"]) if lead["status_id"] in stages else -1
    target = min(max(place + way, 0), len(stages) - 1)
    if stages[target] == lead["status_id"]:
        return False
    actions.run(change, "move_lead", {"lead_id": lead["id"], "status_id": stages[target]})
    return True


def _close(change: Change, rng: random.Random, status_id: int) -> bool:
    lead = _open_lead(change, rng)
    if lead is None:
        return False
    patch: Row = {"status_id": status_id}
    reasons = change.rows("loss_reasons") if status_id == CLOSED[1] else []
    if reasons:
        patch["loss_reason_id"] = rng.choice(reasons)["id"]
    actions.run(change, "edit", {"id": lead["id"], "set": patch})
    return True


def _hand_over(change: Change, rng: random.Random) -> bool:
    person = change.by
    lead = _open_lead(change, rng)
    if lead is None or lead.get("responsible_user_id") == person:
        return False
    actions.run(change, "reassign", {"id": lead["id"], "user_id": person})
    return True


def _reprice(change: Change, rng: random.Random) -> bool:
    lead = _open_lead(change, rng)
    if lead is None:
        return False
    price = max(1000, round(float(lead.get("price") or 20000) * rng.uniform(0.8, 1.3), -2))
    actions.run(change, "edit", {"id": lead["id"], "set": {"price": int(price)}})
    return True


def _plan(change: Change, rng: random.Random) -> bool:
    lead = _open_lead(change, rng)
    if lead is None:
        return False
    till = change.now + rng.randint(1, 72) * 3600
    actions.run(change, "create_task", {"lead_id": lead["id"], "text": "Связаться", "complete_till": till})
    return True


def _finish(change: Change, rng: random.Random) -> bool:
    task = _some(change, rng, "tasks", "is_completed = 0")
    if task is None:
        return False
    change.by = int(task.get("responsible_user_id") or change.by)
    actions.run(change, "complete_task", {"task_id": task["id"], "result": "Сделано"})
    return True


def _call(change: Change, rng: random.Random) -> bool:
    entity = rng.choice(("leads", "leads", "contacts"))
    card = _open_lead(change, rng) if entity == "leads" else _some(change, rng, "contacts", "hidden = 0")
    if card is None:
        return False
    answered = rng.random() < 0.7
    params = {
        "id": card["id"], "entity": entity, "direction": rng.choice(("in", "out", "out")),
        "duration": rng.randint(15, 600) if answered else 0, "call_status": 4 if answered else 6,
        "phone": f"+7999{rng.randint(1000000, 9999999)}",
    }  # fmt: skip
    actions.run(change, "call", params)
    return True


def _chat(change: Change, rng: random.Random) -> bool:
    talk = _some(change, rng, "talks", "json_extract(body, '$.is_in_work')")
    if talk is not None and rng.random() < 0.6:
        direction = "in" if talk.get("is_read") else "out"
        params = {"contact_id": talk.get("contact_id"), "origin": talk.get("origin"), "direction": direction}
        actions.run(change, "chat_message", {**params, "text": rng.choice(_LINES[direction])})
        return True
    contact = _some(change, rng, "contacts", "hidden = 0")
    if contact is None:
        return False
    origin = rng.choice(("telegram", "whatsapp", "vk"))
    text = rng.choice(_LINES["in"])
    actions.run(change, "chat_message", {"contact_id": contact["id"], "origin": origin, "text": text})
    return True


def _hang_up(change: Change, rng: random.Random) -> bool:
    talk = _some(change, rng, "talks", "json_extract(body, '$.is_in_work')")
    if talk is None:
        return False
    actions.run(change, "close_talk", {"talk_id": talk["talk_id"]})
    return True


def _letter(change: Change, rng: random.Random) -> bool:
    lead = _open_lead(change, rng)
    if lead is None:
        return False
    direction = rng.choice(("in", "out"))
    params = {"id": lead["id"], "subject": rng.choice(_NAMES), "text": rng.choice(_LINES[direction])}
    actions.run(change, "mail", {**params, "direction": direction})
    return True


def _incoming(change: Change, rng: random.Random) -> bool:
    person = f"Гость {rng.randint(100, 9999)}"
    if rng.random() < 0.3:
        actions.run(change, "chat_message", {"text": rng.choice(_LINES["in"]), "name": person})
        return True
    metadata = {"form_id": 1, "form_name": "Сайт", "form_page": "https://shop.example.test/"}
    behind = {"leads": [{"name": rng.choice(_NAMES)}], "contacts": [{"name": person}]}
    form = {"category": "forms", "source_name": "Сайт", "source_uid": "live", "metadata": metadata}
    actions.run(change, "create_unsorted", {**form, "_embedded": behind})
    return True


def _sort(change: Change, rng: random.Random) -> bool:
    waiting = change.connection.execute(
        "SELECT id FROM unsorted WHERE account_id = ? ORDER BY created_at, id LIMIT 1", (change.account.id,)
    ).fetchone()
    if waiting is None:
        return False
    verdict = "accept_unsorted" if rng.random() < 0.8 else "decline_unsorted"
    actions.run(change, verdict, {"uid": waiting[0]})
    return True


_WEIGHTED: tuple[tuple[str, Callable[[Change, random.Random], bool], int], ...] = (
    ("new_lead", _new_lead, 14),
    ("forward", lambda change, rng: _step(change, rng, 1), 26),
    ("back", lambda change, rng: _step(change, rng, -1), 3),
    ("win", lambda change, rng: _close(change, rng, CLOSED[0]), 6),
    ("lose", lambda change, rng: _close(change, rng, CLOSED[1]), 7),
    ("hand_over", _hand_over, 4),
    ("reprice", _reprice, 6),
    ("plan", _plan, 12),
    ("finish", _finish, 10),
    ("call", _call, 22),
    ("chat", _chat, 12),
    ("hang_up", _hang_up, 3),
    ("letter", _letter, 5),
    ("incoming", _incoming, 5),
    ("sort", _sort, 5),
)
_CHOICES = [(name, action) for name, action, _ in _WEIGHTED]
