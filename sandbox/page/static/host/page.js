// One page without reloads: the address decides what stands in the middle, widgets are ended and loaded around it.
define(['jquery', 'host/column', 'host/globals', 'host/manager', 'host/record'], function ($, column, globals, manager, record) {
  var visit = 0;
  var frame = null;

  function show(page) {
    var mine = visit += 1;
    page = $.extend({}, frame, page, { current: function () { return mine === visit; } });
    globals.set(page);
    column.listen();
    record.ready = false;
    return manager.load(page).then(function () { record.ready = mine === visit; });
  }

  function fragment(address) {
    return $.ajax({ url: address, data: { fragment: 1 }, dataType: 'json' });
  }

  function open(address) {
    visit += 1;
    record.ready = false;
    manager.destroy_all();
    return fragment(address).then(function (answer) {
      $('#page_holder').html(answer.html);
      $(document).trigger('page:changed');
      return show(answer.page);
    });
  }

  function navigate(address) {
    window.history.pushState(null, '', address);
    return open(address);
  }

  function start(page) {
    frame = page;
    globals.install();
    record.navigate = navigate;
    $(document).on('click.page', 'a[data-nav]', function (event) {
      event.preventDefault();
      navigate(this.getAttribute('href'));
    });
    $(window).on('popstate.page', function () { open(window.location.pathname + window.location.search); });
    show(page);
  }

  return { start: start };
});
