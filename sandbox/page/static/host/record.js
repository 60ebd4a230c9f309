// What tests ask the page about; widgets never see it.
define([], function () {
  var record = {
    failures: [], reads: [], notifications: [], opened: [], modals: [], widgets: {}, entries: {},
    globals: Object.keys(window), ready: false, navigate: null, render_again: null, destroy: null,
    // With audit=1: what was there before the first widget loaded is the host's, all later is a widget's.
    mark: function () { if (window.__audit) { window.__audit.mark(); } },
    left: function () { return window.__audit ? window.__audit.left() : null; }
  };
  window.__sandbox = record;
  return record;
});
