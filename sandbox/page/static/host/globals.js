// APP (AMOCRM is its old name) with the documented members, read-only.
define(['host/guard', 'host/record'], function (guard, record) {
  var now = null;

  function constants() {
    return {
      user: { id: now.user.id, name: now.user.name, login: now.user.email, uuid: now.user.uuid, api_key: '', theme: 1 },
      user_rights: { is_admin: Boolean((now.user.rights || {}).is_admin), is_free_user: false },
      account: { id: now.account.id, subdomain: now.account.subdomain, timezone: now.account.timezone },
      managers: {}, groups: {}, task_types: {}
    };
  }

  function card() {
    if (now.lead_id === undefined || now.lead_id === null) { return false; }
    return guard('APP.data.current_card', {
      id: function () { return now.lead_id; },
      main_user: function () { return now.main_user; },
      element_type: function () { return 2; },
      new_card: function () { return now.lead_id === 0; }
    });
  }

  function notify(name) {
    return function (message) { record.notifications.push([name, message]); };
  }

  function notifications() {
    var names = ['show_message', 'show_message_error', 'show_notification', 'add_error', 'add_call'];
    var members = {};
    names.forEach(function (name) { members[name] = function () { return notify(name); }; });
    return guard('APP.notifications', members);
  }

  function data() {
    return guard('APP.data', {
      current_card: card,
      current_entity: function () { return now.area === 'widgetsSettings' ? 'widgetsSettings' : 'leads'; },
      is_card: function () { return now.area === 'leads_card'; }
    });
  }

  var app = guard('APP', {
    lang_id: function () { return now.view.lang; },
    getBaseEntity: function () { return function () { return now.area === 'widgetsSettings' ? now.area : 'leads'; }; },
    getWidgetsArea: function () { return function () { return now.area; }; },
    isCard: function () { return function () { return now.area === 'leads_card'; }; },
    constant: function () { return function (key) { return constants()[key]; }; },
    data: data,
    notifications: notifications,
    widgets: function () { return { list: record.widgets }; }
  });

  return {
    install: function () {
      Object.defineProperty(window, 'APP', { value: app });
      Object.defineProperty(window, 'AMOCRM', { value: app });
    },
    set: function (page) { now = page; }
  };
});
