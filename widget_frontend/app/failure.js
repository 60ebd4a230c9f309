// From a failed request to what the panel says and when it may ask again.
define([], function () {
  var OWN = { 400: 'e400', 401: 'e401', 403: 'e403', 404: 'e404', 409: 'e409', 429: 'e429' };

  function kind(status, reason) {
    if (OWN[status]) { return OWN[status]; }
    if (status >= 500) { return 'e5xx'; }
    if (reason === 'timeout') { return 'timeout'; }
    return status ? 'unexpected' : 'network';
  }

  function body(xhr) {
    try {
      return JSON.parse(xhr.responseText).error || {};
    } catch (unreadable) {
      // A proxy's HTML page or nothing at all: the status alone decides.
      return {};
    }
  }

  function link(address) {
    return /^https?:\/\//i.test(address || '') ? address : null;
  }

  function retry_after_ms(xhr) {
    var seconds = parseInt(xhr.getResponseHeader ? xhr.getResponseHeader('Retry-After') : '', 10);
    return seconds > 0 ? seconds * 1000 : 0;
  }

  // xhr: jqXHR or {}; → {kind, message, request_id, remedy_url, retry_after_ms}, null where the answer says nothing.
  return function describe(xhr, reason) {
    var error = body(xhr);
    return {
      kind: kind(xhr.status || 0, reason),
      message: error.message || null,
      request_id: error.request_id || null,
      remedy_url: error.code === 'not_connected' ? link(error.remedy_url) : null,
      retry_after_ms: retry_after_ms(xhr)
    };
  };
});
