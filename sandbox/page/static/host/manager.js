// Which widgets a page loads, and when.
define(['jquery', 'host/column', 'host/life', 'host/list', 'host/now', 'host/record', 'host/tiles'], function (
  $, column, life, list, now, record, tiles
) {
  function no_widgets() {
    var rights = now.page().constants.user_rights;
    return rights.is_free_user || (rights.is_admin && now.view().widgets_off);
  }

  // → a promise that ends well even for a widget that cannot be loaded; record.failures says why.
  function load_one(code, entry) {
    var page = now.page();
    var version = '?v=' + entry.installed_version;
    var done = $.Deferred();
    if (record.widgets[code]) {
      life.again(code);
      return done.resolve().promise();
    }
    require(['optional!' + entry.src + version, 'json!' + entry.lang + version, 'host/templates'], function (Made, lang) {
      if (page.current()) { life.start(code, entry, Made, lang); }
      done.resolve();
    }, function (error) {
      record.failures.push(code + ': ' + error);
      done.resolve();
    });
    return done.promise();
  }

  function in_turn(entries) {
    return Object.keys(entries).reduce(function (before, code) {
      return before.then(function () { return load_one(code, entries[code]); });
    }, $.Deferred().resolve().promise());
  }

  function active(entries) {
    var found = {};
    Object.keys(entries).forEach(function (code) { if (entries[code].active === 'Y') { found[code] = entries[code]; } });
    return found;
  }

  function listed(page, answer) {
    if (!page.current()) { return $.Deferred().resolve().promise(); }
    record.entries = answer.widgets;
    record.system = answer.system;
    column.show(answer.system.displayed_count_by_area);
    if (now.area() === 'widgetsSettings') {
      tiles.listen(load_one);
      return $.Deferred().resolve().promise();
    }
    return in_turn(active(answer.widgets)).then(list.offer);
  }

  // The event comes first; a new manager then ends the old widgets before it loads its own.
  function load() {
    var page = now.page();
    $(document).trigger('widgets:load');
    life.leave_area();
    if (no_widgets()) { return $.Deferred().resolve().promise(); }
    record.mark();
    return $.post('/ajax/widgets/list', { area: page.area, lang: page.view.lang }).then(function (answer) {
      return listed(page, answer);
    });
  }

  return { load: load };
});
