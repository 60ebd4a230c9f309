define(['jquery'], function ($) {
  return {
    load: function (name, req, onload) {
      $.ajax({ url: req.toUrl(name), dataType: 'json' }).done(function (data) { onload(data); }).fail(function (xhr) {
        onload.error(new Error('json!' + name + ': ' + xhr.status));
      });
    }
  };
});
