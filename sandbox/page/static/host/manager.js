// Loads and ends widgets in the order the CRM does.
define(['jquery', 'host/record', 'host/widget'], function ($, record, widget) {
  var NEEDED = ['render', 'init', 'bind_actions'];

  function settings(code, entry) {
    return $.extend({}, entry.settings, {
      id: entry.id, status: entry.status, widget_code: code, path: entry.path, version: entry.installed_version,
      oauth_client_uuid: entry.oauth_client_uuid, widget_active: entry.active, images_path: entry.images_path, support: {}
    });
  }

  function create(Constructor, code, entry, lang, page) {
    Constructor.prototype = $.extend(Constructor.prototype, widget.base(page));
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
    $(document).trigger('widget:' + code + ':loaded');
    made.callbacks.init();
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
  }

  function guarded(code, what) {
    try {
      what();
    } catch (error) {
      record.failures.push(code + ': ' + error);
      // The real page prints it and goes on with the other widgets.
      window.console.error(error);
    }
  }

  function start(code, entry, Constructor, lang, page) {
    if (typeof Constructor !== 'function') {
      record.failures.push(code + ': the module is no constructor');
      return;
    }
    guarded(code, function () {
      var made = create(Constructor, code, entry, lang, page);
      if (!whole(made)) {
        record.failures.push(code + ': a callback is missing');
        return;
      }
      record.widgets[code] = made;
      run(made, code);
      if (page.area === 'widgetsSettings' && made.callbacks.settings) {
        made.callbacks.settings($('.modal.' + code + ' .modal-body'));
      }
    });
  }

  function load_one(code, entry, page) {
    var version = '?v=' + entry.installed_version;
    var done = $.Deferred();
    require(['optional!' + entry.src + version, 'json!' + entry.lang + version], function (Constructor, lang) {
      if (page.current()) { start(code, entry, Constructor, lang, page); }
      done.resolve();
    }, function (error) {
      record.failures.push(code + ': ' + error);
      done.resolve();
    });
    return done.promise();
  }

  function in_turn(entries, page) {
    return Object.keys(entries).reduce(function (before, code) {
      return before.then(function () { return load_one(code, entries[code], page); });
    }, $.Deferred().resolve().promise());
  }

  function load(page) {
    $(document).trigger('widgets:load');
    return $.post('/ajax/widgets/list', { area: page.area, lang: page.view.lang }).then(function (answer) {
      return in_turn(answer.widgets, page);
    });
  }

  function destroy(code) {
    var made = record.widgets[code];
    guarded(code, function () { if (made.callbacks.destroy) { made.callbacks.destroy(); } });
    $(document).off(made.ns);
    $('#widgets_block .card-widgets__widget-' + code).remove();
    delete record.widgets[code];
  }

  function destroy_all() {
    Object.keys(record.widgets).forEach(destroy);
  }

  record.render_again = function () {
    Object.keys(record.widgets).forEach(function (code) { record.widgets[code].callbacks.render(); });
  };
  record.destroy = destroy_all;
  return { load: load, destroy_all: destroy_all };
});
