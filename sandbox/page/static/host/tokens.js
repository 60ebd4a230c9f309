// Disposable tokens of the integrations: kept for 25 minutes, fetched once for concurrent callers.
define(['jquery', 'host/now'], function ($, now) {
  var KEPT_MS = 25 * 60 * 1000;
  var tokens = {};

  function fetch(uuid) {
    return $.ajax({ url: '/ajax/v2/integrations/' + uuid + '/disposable_token', dataType: 'json' });
  }

  function token(uuid) {
    var known = tokens[uuid];
    if (known && Date.now() - known.at < KEPT_MS && known.request.state() !== 'rejected') { return known.request; }
    tokens[uuid] = { at: Date.now(), request: fetch(uuid) };
    return tokens[uuid].request;
  }

  function with_token(options, answer) {
    var more = { headers: $.extend({}, options.headers, { 'X-Auth-Token': answer.token }) };
    if (now.view().credentials) { more.xhrFields = $.extend({}, options.xhrFields, { withCredentials: true }); }
    return $.extend({}, options, more);
  }

  // $.ajax options → a jQuery promise: settles like $.ajax, has no abort and no catch.
  function authorized(uuid, options) {
    var result = $.Deferred();
    if (!uuid) { throw new Error('$authorizedAjax: not an OAuth integration'); }
    token(uuid).done(function (answer) {
      $.ajax(with_token(options, answer)).done(result.resolve).fail(result.reject);
    }).fail(result.reject);
    return result.promise();
  }

  return { authorized: authorized };
});
