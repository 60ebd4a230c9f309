// One widget from its constructor to its end, in the host's order.
define(['jquery', 'host/now', 'host/record', 'host/widget'], function ($, now, record, widget) {
  var NEEDED = ['render', 'init', 'bind_actions'];

  function settings(code, entry) {
    return $.extend({}, entry.settings, {
      id: entry.id, status: entry.status, widget_code: code, path: entry.path, version: entry.installed_version,
      oauth_client_uuid: entry.oauth_client_uuid, widget_active: entry.active, images_path: entry.images_path,
      support: entry.support
    });
  }

  // The host prints what a widget throws and goes on with the others.
  function guarded(code, what) {
    try {
      return what();
    } catch (error) {
      record.failures.push(code + ': ' + error);
      window.console.error(error);
      return undefined;
    }
  }

  function create(Constructor, code, entry, lang) {
    $.extend(Constructor.prototype, widget.members);
    var made = new Constructor();
    made.ns = '.widget:' + code;
    made.init_once = entry.init_once === 'Y';
    made.set_lang(lang);
    made.set_settings(settings(code, entry));
    return made;
  }

  function whole(made) {
    return NEEDED.every(function (name) { return made.callbacks && typeof made.callbacks[name] === 'function'; });
  }

  function init(made, code) {
    guarded(code, function () {
      $(document).trigger('widget:' + code + ':loaded');
      made.callbacks.init();
    });
  }

  // init after a true render or a promise that resolves; bind_actions at once, whatever render answered.
  function run(made, code) {
    var answer = made.callbacks.render();
    if (answer && typeof answer.then === 'function') {
      answer.then(function () { init(made, code); }, function () {});
    } else if (answer) {
      init(made, code);
    }
    made.callbacks.bind_actions();
    if (now.view().double) { made.callbacks.render(); }
  }

  function work_area(code) {
    $('[data-work-area="' + code + '"]').append($('<div>', { id: 'work-area-' + code }));
  }

  function menu_page() {
    var parts = window.location.pathname.split('/').filter(Boolean);
    return { location: parts[0], item_code: parts[2], subitem_code: parts[3] };
  }

  // The widget's own page: its container stands there already, or with late=MS comes after the callback.
  function page_callback(made, code) {
    var late = now.view().late;
    var calls = { 'advanced-settings': 'advancedSettings', 'widget-page': 'initMenuPage' };
    var name = calls[now.area()];
    if (!name || now.page().area.split(':')[1] !== code) { return; }
    if (!late) { work_area(code); }
    if (made.callbacks[name]) { made.callbacks[name](name === 'initMenuPage' ? menu_page() : undefined); }
    if (late) { setTimeout(function () { work_area(code); }, late); }
  }

  function first_time(code, entry, Constructor, lang) {
    var made = create(Constructor, code, entry, lang);
    if (!whole(made)) {
      record.failures.push(code + ': a callback is missing');
      return;
    }
    record.widgets[code] = made;
    run(made, code);
    page_callback(made, code);
  }

  // A widget that init_once has kept is only rendered again.
  function again(code) {
    record.widgets[code].callbacks.render();
    page_callback(record.widgets[code], code);
  }

  function start(code, entry, Constructor, lang) {
    if (typeof Constructor !== 'function') {
      record.failures.push(code + ': the module is no constructor');
      return;
    }
    guarded(code, function () { first_time(code, entry, Constructor, lang); });
  }

  function kept(made) {
    return made.init_once && made.params.widget_active === 'Y';
  }

  function destroy(code) {
    var made = record.widgets[code];
    guarded(code, function () { if (made.callbacks.destroy) { made.callbacks.destroy(); } });
    $(document).off(made.ns);
    $('#widgets_block .card-widgets__widget-' + code).remove();
    delete record.widgets[code];
  }

  function leave_area() {
    Object.keys(record.widgets).forEach(function (code) { if (!kept(record.widgets[code])) { destroy(code); } });
  }

  record.render_again = function () {
    Object.keys(record.widgets).forEach(function (code) { record.widgets[code].callbacks.render(); });
  };
  record.destroy = function () { Object.keys(record.widgets).forEach(destroy); };
  return {
    start: start, destroy: destroy, leave_area: leave_area, guarded: guarded,
    again: function (code) { guarded(code, function () { again(code); }); }
  };
});
