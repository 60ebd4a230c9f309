// The page that is shown: {area, card, rows, view, constants, current()}; a kept widget outlives many of them.
define([], function () {
  var shown = null;
  return {
    set: function (page) { shown = page; },
    page: function () { return shown; },
    view: function () { return shown.view; },
    // 'leads_card', or the part before the colon of 'advanced-settings:<code>'.
    area: function () { return shown.area.split(':')[0]; }
  };
});
