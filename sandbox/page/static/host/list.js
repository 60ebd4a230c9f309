// The list of leads: ticked rows, and "More" with the widgets that take them.
define(['jquery', 'host/record'], function ($, record) {
  function takes(made) {
    return Boolean(made.callbacks.leads && typeof made.callbacks.leads.selected === 'function');
  }

  function button(code) {
    var name = (record.entries[code] || {}).name || code;
    return $('<button>', { type: 'button', 'class': 'list__widget js-list-widget', 'data-code': code, text: name })
      .on('click', function () { record.widgets[code].callbacks.leads.selected(); });
  }

  function offer() {
    var codes = Object.keys(record.widgets).filter(function (code) { return takes(record.widgets[code]); });
    $('.js-list-more').prop('hidden', !codes.length).append(codes.map(button));
  }

  function selected() {
    var rows = $('.js-list-check:checked').map(function () {
      return { id: Number(this.value), type: 'lead', emails: [], phones: [] };
    }).get();
    return { selected: rows, summary: { items: rows.length, emails: 0, phones: 0 } };
  }

  return { offer: offer, selected: selected };
});
