// The style sheet is not loaded by amoCRM: linked once while the widget has something on the page.
define(['jquery'], function ($) {
  var ID = 'salesrep-style';

  function link(params) {
    if (document.getElementById(ID)) { return; }
    $('<link>', {
      id: ID, rel: 'stylesheet', href: params.path + '/style.css?v=' + encodeURIComponent(params.version)
    }).appendTo('head');
  }

  function unlink() {
    $('#' + ID).remove();
  }

  return { link: link, unlink: unlink };
});
