"""Names and numbers of amoCRM that more than one module of the simulator needs."""

from typing import Any

Row = dict[str, Any]

WON = 142
LOST = 143
CLOSED = (WON, LOST)
UNSORTED_TYPE = 1
ROBOT = 0

PERSON_LIKE = ("leads", "contacts", "companies", "customers")
SINGULAR = {
    "leads": "lead",
    "contacts": "contact",
    "companies": "company",
    "customers": "customer",
    "tasks": "task",
}
PLURAL = {one: many for many, one in SINGULAR.items()}
DATE_TYPES = ("date", "date_time", "birthday")  # kinds of custom fields
ELEMENT_TYPE = {"contacts": 1, "leads": 2, "companies": 3, "customers": 12}

# Only 4 and 10/11 were seen in captured hooks; the others follow the old v2 numbering.
NOTE_CODES = {
    "common": 4,
    "attachment": 5,
    "call_in": 10,
    "call_out": 11,
    "service_message": 25,
    "extended_service_message": 26,
    "sms_in": 102,
    "sms_out": 103,
    "geolocation": 6,
    "message_cashier": 17,
    "invoice_paid": 18,
    "amomail_message": 15,
    "site_visit": 19,
    "chat": 27,
}
NOTE_EVENTS = {
    "common": "common_note_added",
    "attachment": "attachment_note_added",
    "call_in": "incoming_call",
    "call_out": "outgoing_call",
    "sms_in": "incoming_sms",
    "sms_out": "outgoing_sms",
    "service_message": "service_note_added",
    "extended_service_message": "service_note_added",
    "geolocation": "geo_note_added",
    "message_cashier": "message_to_cashier_note_added",
    "amomail_message": "incoming_mail",
    "site_visit": "site_visit_note_added",
    "invoice_paid": "service_note_added",
    "targeting_in": "targeting_in_note_added",
    "targeting_out": "targeting_out_note_added",
    "zoom_meeting": "zoom_conference",
    "dropbox_attachment": "dropbox_attachment",
    "link_followed": "link_followed",
    "ai_result": "ai_result",
    "transaction": "transaction_added",
}
# What happens in a column of the board and may start a digital-pipeline hook.
NOTE_TRIGGERS = {
    "incoming_call": "call_in",
    "site_visit_note_added": "site_visit",
    "incoming_mail": "mail_in",
}
PIPELINE_EVENTS = ("status", "call_in", "chat", "site_visit", "mail_in")
# Required keys of `params`, as far as the vendor's validation is known.
NOTE_PARAMS = {
    "common": ("text",),
    "call_in": ("uniq", "duration", "source", "phone"),
    "call_out": ("uniq", "duration", "source", "phone"),
    "sms_in": ("text", "phone"),
    "sms_out": ("text", "phone"),
    "service_message": ("service", "text"),
    "extended_service_message": ("service", "text"),
    "message_cashier": ("status", "text"),
    "geolocation": ("text", "address", "longitude", "latitude"),
    "attachment": ("version_uuid", "file_uuid", "file_name"),
    "invoice_paid": ("text", "service"),
}

FIELD_TYPE_CODES = {
    "text": 1, "numeric": 2, "checkbox": 3, "select": 4, "multiselect": 5, "date": 6, "url": 7,
    "multitext": 8, "textarea": 9, "radiobutton": 10, "streetaddress": 11, "smart_address": 13,
    "birthday": 14, "legal_entity": 15, "items": 16, "category": 18, "date_time": 19, "price": 20,
    "tracking_data": 21, "linked_entity": 22, "monetary": 23, "chained_list": 24, "file": 25,
}  # fmt: skip

HOOK_NAMES = frozenset(
    [f"{action}_{entity}"
     for entity in ("lead", "contact", "company")
     for action in ("add", "update", "delete", "restore", "responsible", "note")]
    + [f"{action}_customer" for action in ("add", "update", "delete", "responsible", "note")]
    + [f"{action}_task" for action in ("add", "update", "delete", "responsible")]
    + ["status_lead", "add_talk", "update_talk", "add_message", "add_outgoing_message",
       "add_chat_template_review", "add_unsorted", "update_unsorted", "delete_unsorted"]
    + [f"{action}_catalog_element" for action in ("add", "update", "delete")]
)  # fmt: skip

EVENT_TYPES = [
    "lead_added",
    "lead_deleted",
    "lead_restored",
    "lead_status_changed",
    "lead_linked",
    "lead_unlinked",
    "contact_added",
    "contact_deleted",
    "contact_restored",
    "contact_linked",
    "contact_unlinked",
    "company_added",
    "company_deleted",
    "company_restored",
    "company_linked",
    "company_unlinked",
    "customer_added",
    "customer_deleted",
    "customer_status_changed",
    "customer_linked",
    "customer_unlinked",
    "task_added",
    "task_deleted",
    "task_completed",
    "task_type_changed",
    "task_text_changed",
    "task_deadline_changed",
    "task_result_added",
    "incoming_call",
    "outgoing_call",
    "incoming_mail",
    "outgoing_mail",
    "incoming_chat_message",
    "outgoing_chat_message",
    "entity_direct_message",
    "incoming_sms",
    "outgoing_sms",
    "entity_tag_added",
    "entity_tag_deleted",
    "entity_linked",
    "entity_unlinked",
    "sale_field_changed",
    "name_field_changed",
    "ltv_field_changed",
    "custom_field_value_changed",
    "entity_responsible_changed",
    "robot_replied",
    "intent_identified",
    "ai_result",
    "nps_rate_added",
    "link_followed",
    "transaction_added",
    "common_note_added",
    "common_note_deleted",
    "attachment_note_added",
    "targeting_in_note_added",
    "targeting_out_note_added",
    "geo_note_added",
    "service_note_added",
    "site_visit_note_added",
    "message_to_cashier_note_added",
    "key_action_completed",
    "entity_merged",
    "talk_created",
    "talk_closed",
    "conversation_answered",
    "talk_missed_event",
    "page_mention",
    "meta_chat_subscription_added",
    "meta_chat_subscription_removed",
    "video_opened",
    "video_closed",
    "picture_opened",
    "picture_closed",
    "zoom_conference",
    "dropbox_attachment",
]
EVENT_TYPE_NUMBERS = {
    "lead_added": 1, "lead_deleted": 7, "lead_status_changed": 14, "entity_responsible_changed": 25,
    "common_note_added": 27, "attachment_note_added": 28, "entity_tag_added": 63,
    "sale_field_changed": 69, "name_field_changed": 70, "entity_linked": 72,
    "incoming_chat_message": 89, "outgoing_chat_message": 90,
}  # fmt: skip
