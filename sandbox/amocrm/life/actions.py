"""The actions of `POST /_sandbox/actions`: what people do in the CRM, one name each."""

import inspect
from collections.abc import Callable
from typing import Any

from sandbox.amocrm.life import card_actions, journal, office, pipelines, talk_actions, users
from sandbox.amocrm.life.change import Change, Impossible
from sandbox.amocrm.vocabulary import Row

Action = Callable[..., Any]

ACTIONS: dict[str, Action] = {
    action.__name__: action
    for action in (
        card_actions.move_lead, card_actions.win_lead, card_actions.lose_lead, card_actions.robot_move,
        card_actions.reassign, card_actions.edit, card_actions.bulk_edit, card_actions.create_lead,
        card_actions.create_contact, card_actions.create_company, card_actions.create_customer,
        card_actions.import_rows, card_actions.create_task, card_actions.edit_task,
        card_actions.complete_task, card_actions.delete_task, card_actions.add_note,
        card_actions.edit_note, card_actions.delete_note, card_actions.pin_note, card_actions.call,
        card_actions.link, card_actions.unlink, card_actions.delete_element, card_actions.delete,
        card_actions.bulk_delete,
        card_actions.restore, card_actions.purge, card_actions.merge,
        talk_actions.chat_message, talk_actions.close_talk, talk_actions.miss_talk, talk_actions.mail,
        talk_actions.sms, talk_actions.site_visit, talk_actions.review_template,
        talk_actions.create_unsorted, talk_actions.accept_unsorted, talk_actions.decline_unsorted,
        talk_actions.link_unsorted, talk_actions.add_pipeline_hook, talk_actions.remove_pipeline_hook,
        users.create_user, users.change_rights, users.dismiss_user,
        pipelines.add_pipeline, pipelines.edit_pipeline, pipelines.rename_pipeline, pipelines.delete_pipeline,
        pipelines.add_stage, pipelines.edit_stage, pipelines.rename_stage, pipelines.delete_stage,
        office.rename_account, office.edit_account, office.uninstall,
    )
}  # fmt: skip
ALIASES = {
    "edit_lead": ("edit", "lead_id", "leads"),
    "reassign_lead": ("reassign", "lead_id", "leads"),
    "delete_lead": ("delete", "lead_id", "leads"),
    "restore_lead": ("restore", "lead_id", "leads"),
    "merge_leads": ("merge", "main_id", "leads"),
}


def run(c: Change, name: str, params: Row) -> Any:
    """Do the named action. Impossible when there is none, or when its parameters do not fit."""
    c.cause, c.author = journal.action(name, params), c.by
    if name in ALIASES:
        name, id_name, entity = ALIASES[name]
        params = {**params, "entity": entity}
        if id_name in params and id_name != "main_id":
            params["id"] = params.pop(id_name)
    action = ACTIONS.get(name)
    if action is None:
        raise Impossible(f"no action is called {name}; there are {', '.join(ACTIONS)}", "do")
    try:
        inspect.signature(action).bind(c, **params)
    except TypeError as err:
        raise Impossible(f"{name}: {err}", "do") from None
    return action(c, **params)
