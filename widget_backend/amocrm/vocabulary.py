"""amoCRM's codes by name: statuses, notes, events, calls, tasks. Nothing else in the product spells them out.

Read at https://www.amocrm.ru/developers/content/crm_platform/ (November 2026).
"""

# Every pipeline has both, with its own names: .../crm_platform/leads_pipelines
WON = 142
LOST = 143
CLOSED = frozenset({WON, LOST})
UNSORTED_STATUS_TYPE = 1

# The user id of robots, widgets and integrations: .../crm_platform/events-and-notes
ROBOT = 0

# Notes: .../crm_platform/events-and-notes#notes-types
CALL_IN = "call_in"
CALL_OUT = "call_out"
CALL_NOTES = (CALL_IN, CALL_OUT)

# ``call_status`` of a call note: .../crm_platform/calls-api
CALL_VOICE_MESSAGE = 1
CALL_BACK_LATER = 2
CALL_NOT_AVAILABLE = 3
CALL_TALKED = 4
CALL_WRONG_NUMBER = 5
CALL_NO_ANSWER = 6
CALL_BUSY = 7
CALL_STATUSES_WITHOUT_TALK = frozenset({CALL_VOICE_MESSAGE, CALL_NOT_AVAILABLE, CALL_NO_ANSWER, CALL_BUSY})

# Events: .../crm_platform/events-and-notes#events-types
LEAD_STATUS_CHANGED = "lead_status_changed"
RESPONSIBLE_CHANGED = "entity_responsible_changed"
SALE_CHANGED = "sale_field_changed"
TASK_COMPLETED = "task_completed"
OUTGOING_CHAT_MESSAGE = "outgoing_chat_message"
OUTGOING_MAIL = "outgoing_mail"
OUTGOING_SMS = "outgoing_sms"
WRITTEN_BY_PERSON = (OUTGOING_CHAT_MESSAGE, OUTGOING_MAIL, OUTGOING_SMS)

# Events name entities in the singular, everything else in the plural.
ENTITY_OF_EVENT = {
    "lead": "leads",
    "contact": "contacts",
    "company": "companies",
    "customer": "customers",
    "task": "tasks",
}
EVENT_OF_ENTITY = {plural: singular for singular, plural in ENTITY_OF_EVENT.items()}

# Task types: .../crm_platform/tasks-api
TASK_CALL = 1
TASK_MEETING = 2
