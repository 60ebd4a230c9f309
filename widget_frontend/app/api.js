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

    function settings(query, same) {
      return {
        url: config.backend_url + config.panel_path,
        data: query,
        dataType: 'json',
        timeout: config.timeout_ms,
        headers: same && known.etag ? { 'If-None-Match': known.etag } : {},
        // Kept to be able to abort: what $authorizedAjax returns need not be a jqXHR.
        xhr: function () {
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
      clearTimeout(watchdog);
      watchdog = setTimeout(function () { result.reject(describe({}, 'timeout')); }, config.watchdog_ms);
      result.always(function () { clearTimeout(watchdog); });
      widget.$authorizedAjax(settings(query, known.query === key)).done(function (panel, status, xhr) {
        accept(result, key, panel, xhr);
      }).fail(function (xhr, reason) {
        result.reject(describe(xhr || {}, reason));
      });
      return result.promise();
    };

    this.stop = function () {
      clearTimeout(watchdog);
      if (transport) { transport.abort(); }
    };
  };
});
