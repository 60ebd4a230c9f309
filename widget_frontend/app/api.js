// The one request of the panel. Errors come out as failure.js describes them.
define(['jquery', './config.js', './failure.js'], function ($, config, describe) {
  function tag(xhr) {
    return xhr && xhr.getResponseHeader ? xhr.getResponseHeader('ETag') : null;
  }

  // → {panel(query), stop()}; panel() resolves with the answer, or with null when it is what we have already.
  return function Api(widget) {
    var known = { query: null, etag: null };
    var transport = null;
    var watchdog = null;
    var stopped = false;

    // Settled by our own hand: jQuery 2 neither hears of an aborted transport nor lets go of its timer then.
    function watch(result, ms) {
      clearTimeout(watchdog);
      watchdog = setTimeout(function () {
        result.reject(describe({}, 'timeout'));
        if (transport) { transport.abort(); }
      }, ms);
    }

    function settings(query, same, result) {
      return {
        url: config.backend_url + config.panel_path,
        data: query,
        dataType: 'json',
        headers: same && known.etag ? { 'If-None-Match': known.etag } : {},
        // Kept to be able to abort: what $authorizedAjax returns need not be a jqXHR.
        xhr: function () {
          // The token came too late; jQuery takes this for a request that failed.
          if (stopped || result.state() !== 'pending') { throw new Error('nobody waits for this answer'); }
          watch(result, config.timeout_ms);
          transport = $.ajaxSettings.xhr();
          return transport;
        }
      };
    }

    function accept(result, query_key, panel, xhr) {
      if (result.state() !== 'pending') { return; }
      if (xhr && xhr.status === 304) {
        result.resolve(null);
      } else if (panel && Array.isArray(panel.sections)) {
        known = { query: query_key, etag: tag(xhr) };
        result.resolve(panel);
      } else {
        result.reject(describe({ status: 200 }, 'unexpected'));
      }
    }

    this.panel = function (query) {
      var key = JSON.stringify(query);
      var result = $.Deferred();
      // A request that neither succeeds nor fails (a token that never comes) must not end the refreshing.
      transport = null;
      watch(result, config.watchdog_ms);
      result.always(function () { clearTimeout(watchdog); });
      widget.$authorizedAjax(settings(query, known.query === key, result)).done(function (panel, status, xhr) {
        accept(result, key, panel, xhr);
      }).fail(function (xhr, reason) {
        result.reject(describe(xhr || {}, reason));
      });
      return result.promise();
    };

    this.stop = function () {
      stopped = true;
      clearTimeout(watchdog);
      if (transport) { transport.abort(); }
    };
  };
});
