// When to ask: only while the node is on screen and the page is in front, one request at a time, slower after errors.
define(['jquery', './config.js'], function ($, config) {
  function delay_after(failures, retry_after_ms) {
    var backoff = Math.min(config.slowest_ms, config.period_ms * Math.pow(2, Math.max(0, failures - 1)));
    return Math.max(backoff, retry_after_ms || 0);
  }

  // load() → promise, rejected with {retry_after_ms}; ns: namespace of document events.
  function Poller(node, ns, load) {
    var state = { seen: false, busy: false, stopped: false, again: false, failures: 0, due_at: 0, timer: null };
    var eye = new IntersectionObserver(function (entries) {
      state.seen = entries[entries.length - 1].isIntersecting;
      wake();
    });

    function finish(failure) {
      if (state.stopped) { return; }
      state.busy = false;
      state.failures = failure ? state.failures + 1 : 0;
      state.due_at = state.again ? 0 : Date.now() + delay_after(state.failures, failure && failure.retry_after_ms);
      state.again = false;
      wake();
    }

    function ask() {
      state.busy = true;
      load().done(function () { finish(null); }).fail(finish);
    }

    function wake() {
      if (state.busy || state.stopped) { return; }
      clearTimeout(state.timer);
      if (!state.seen || document.hidden) { return; }
      state.timer = setTimeout(ask, Math.max(0, state.due_at - Date.now()));
    }

    // Asked for by a person; while a request is under way, right after it.
    this.now = function () {
      state.again = state.busy;
      state.due_at = 0;
      wake();
    };

    this.stop = function () {
      state.stopped = true;
      clearTimeout(state.timer);
      eye.disconnect();
      $(document).off('visibilitychange' + ns);
    };

    $(document).on('visibilitychange' + ns, wake);
    eye.observe(node);
  }

  return Poller;
});
