// Area changes without a reload, as in the real single-page CRM.
define(['jquery', 'host/column', 'host/globals', 'host/life', 'host/manager', 'host/now', 'host/record', 'host/tiles'], function (
  $, column, globals, life, manager, now, record, tiles
) {
  var visit = 0;
  var constants = null;

  function show(page) {
    var mine = visit += 1;
    now.set($.extend({}, page, { constants: constants, current: function () { return mine === visit; } }));
    globals.page_changed();
    column.listen();
    record.ready = false;
    return manager.load().then(function () { if (mine === visit) { record.ready = true; } });
  }

  function fragment(address) {
    return $.ajax({ url: address, data: { fragment: 1 }, dataType: 'json' });
  }

  function open(address) {
    var mine = visit += 1;
    record.ready = false;
    tiles.close();
    if (now.view().destroy === 'first') { life.leave_area(); }
    return fragment(address).then(function (answer) {
      if (mine !== visit) { return undefined; }
      $('#page_holder').html(answer.html);
      $(document).trigger('page:changed');
      return show(answer.page);
    }, function (xhr) { record.failures.push('the page ' + address + ' answered ' + xhr.status); });
  }

  // The switches of the address stay over a change of the area, as a session would.
  function with_switches(address) {
    var wanted = new URL(address, window.location.href);
    new URL(window.location.href).searchParams.forEach(function (value, name) {
      if (!wanted.searchParams.has(name)) { wanted.searchParams.set(name, value); }
    });
    return wanted.pathname + wanted.search;
  }

  function navigate(address) {
    var full = with_switches(address);
    window.history.pushState(null, '', full);
    return open(full);
  }

  function start(page) {
    constants = page.constants;
    globals.install(page.view.strict);
    record.navigate = navigate;
    $(document).on('click.page', 'a[data-nav]', function (event) {
      event.preventDefault();
      navigate(this.getAttribute('href'));
    });
    $(window).on('popstate.page', function () { open(window.location.pathname + window.location.search); });
    column.listen_once();
    show(page);
  }

  return { start: start };
});
