define(['jquery'], function ($) {
  return {
    load: function (name, req, onload) {
      $.ajax({ url: req.toUrl(name), dataType: 'text' }).done(onload).fail(function (xhr) {
        onload.error(new Error('text!' + name + ': ' + xhr.status));
      });
    }
  };
});
