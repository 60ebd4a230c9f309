// APP (AMOCRM is its old name) with the documented members, read-only; and the libraries that are global too.
define(['jquery', 'underscore', 'backbone', 'twigjs', 'host/guard', 'host/now', 'host/record'], function (
  $, _, Backbone, twigjs, guard, now, record
) {
  var model = null;

  function constant(name) {
    var values = now.page().constants;
    if (arguments.length > 1 || !Object.prototype.hasOwnProperty.call(values, name)) {
      guard.refuse(arguments.length > 1 ? 'sets' : 'reads', "APP.constant('" + name + "')");
    }
    return $.extend(true, {}, values[name]);
  }

  function card() {
    var shown = now.page().card;
    if (!shown) { return false; }
    return guard('APP.data.current_card', {
      id: function () { return shown.id; },
      main_user: function () { return shown.main_user; },
      element_type: function () { return 2; },
      new_card: function () { return shown.id === 0; },
      model: function () { return model; }
    });
  }

  function list() {
    return (now.page().rows || []).map(function (row) {
      var checked = $('.js-list-check[value="' + row.id + '"]').prop('checked');
      return { id: row.id, name: row.name, checked: Boolean(checked) };
    });
  }

  function notifications() {
    var names = ['show_message', 'show_message_error', 'show_notification', 'add_error', 'add_call'];
    var members = {};
    names.forEach(function (name) {
      members[name] = function () {
        return function (message) { record.notifications.push([name, message]); };
      };
    });
    return guard('APP.notifications', members);
  }

  function entity() {
    return now.area() === 'leads' || now.area() === 'leads_card' ? 'leads' : now.area();
  }

  function data() {
    return guard('APP.data', {
      current_card: card,
      current_entity: entity,
      current_list: list,
      current_view: function () { return { $el: $('#page_holder') }; },
      is_card: function () { return now.area() === 'leads_card'; }
    });
  }

  function widgets() {
    return guard('APP.widgets', {
      list: function () { return Object.freeze($.extend({}, record.widgets)); },
      system: function () { return $.extend(true, {}, record.system); }
    });
  }

  var app = guard('APP', {
    lang_id: function () { return now.view().lang; },
    getBaseEntity: function () { return entity; },
    getWidgetsArea: function () { return function () { return now.page().area; }; },
    isCard: function () { return function () { return now.area() === 'leads_card'; }; },
    constant: function () { return constant; },
    data: data,
    notifications: notifications,
    widgets: widgets
  });

  // Whether other libraries than jQuery are global on the real page is not known: with strict=1 none may be used.
  function refuse_global(name) {
    var value = window[name];
    Object.defineProperty(window, name, {
      get: function () {
        record.failures.push('the widget uses the global ' + name + ' instead of a dependency');
        return value;
      },
      set: function (other) { value = other; }
    });
  }

  function stub_open() {
    var open = window.open;
    window.open = function (url, name, features) {
      record.opened.push({ url: String(url), name: name, features: features });
      if (now.view().popups) { return open.call(window, url, name, features); }
      return {
        closed: false, location: { href: String(url) }, focus: function () {}, postMessage: function () {},
        close: function () { this.closed = true; }
      };
    };
  }

  return {
    install: function (strict) {
      Object.defineProperty(window, 'APP', { value: app });
      Object.defineProperty(window, 'AMOCRM', { value: app });
      window.twig = twigjs.twig;
      window.Twig = twigjs;
      // Not Twig: its library declares that name for itself and cannot do without.
      if (strict) { ['$', 'jQuery', '_', 'Backbone', 'twig'].forEach(refuse_global); }
      stub_open();
    },
    page_changed: function () {
      var shown = now.page().card;
      model = shown ? new Backbone.Model(shown.model) : null;
    }
  };
});
