// What tests ask the page about; widgets never see it.
define([], function () {
  var record = {
    failures: [], reads: [], notifications: [], widgets: {}, events: [],
    globals: Object.keys(window), navigate: null, render_again: null, destroy: null
  };
  window.__sandbox = record;
  return record;
});
