// The consent box of the settings modal: the required custom field stays empty until it is ticked.
define(['jquery', './config.js', './dom.js', './format.js', './style.js'], function ($, config, dom, format, style) {
  function draw(widget, $modal_body) {
    var code = widget.params.widget_code;
    var t = format.translator(widget);
    var $value = $modal_body.find('#' + code + '_custom');
    var $place = $modal_body.find('#' + code + '_custom_content');
    if (!$place.length || $place.find('.salesrep-consent').length) { return; }

    style.link(widget.params);
    var box = dom.el('input', 'consent__box', null, { type: 'checkbox' });
    // amoCRM stores a number or JSON here, never a plain string; empty means not given.
    box.checked = Number($value.val()) === 1;
    $(box).on('change' + widget.ns, function () {
      $value.val(box.checked ? '1' : '').trigger('change');
    });
    $place.append(dom.el('div', 'root consent', [
      dom.el('label', 'consent__label', [box, ' ' + t('settings.consent_text')]),
      dom.el('p', 'consent__where', t('settings.consent_where') + ' ' + config.backend_url)
    ]));
  }

  // The window may outlive the widget: amoCRM closes it, not we.
  function remove() {
    $('.salesrep-consent').remove();
    style.unlink();
  }

  return { draw: draw, remove: remove };
});
