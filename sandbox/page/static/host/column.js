// The right column: closed at first, remembered in a cookie, one block for each widget.
define(['jquery'], function ($) {
  var COOKIE = 'leads_crd_wdgt';
  var BODY = '.card-widgets__widget__body';
  var NARROW_PX = 1024;

  function remembered() {
    return document.cookie.indexOf(COOKIE + '=1') >= 0;
  }

  function is_open() {
    return $('#widgets_block').hasClass('js-widgets-active');
  }

  function set_open(open) {
    document.cookie = COOKIE + '=' + (open ? '1' : '0') + '; path=/';
    $('#widgets_block, #card_holder').toggleClass('js-widgets-active', open);
    $('#widgets_block').toggleClass('with_overlay', open && window.innerWidth < NARROW_PX);
    $('#card_widgets_overlay').toggle(open && window.innerWidth < NARROW_PX);
    $(document).trigger('toggleWidgetPanel');
  }

  function set_body($widget, open) {
    $widget.find(BODY).toggle(open).toggleClass('js-body-hide', open);
    $widget.find('.card-widgets__widget__caption__arrow')
      .toggleClass('widgets__widget__caption__arrow_top', open)
      .toggleClass('widgets__widget__caption__arrow_bottom', !open);
    $(document).trigger('widgets_body:change_state', [{ $el: $widget, state: open }]);
  }

  function toggle_column() {
    var open = !is_open();
    if (open) { set_body($('.card-widgets__widget').first(), true); } else { set_body($('.card-widgets__widget'), false); }
    set_open(open);
  }

  function press_caption(caption) {
    var $widget = $(caption).closest('.card-widgets__widget');
    if (is_open()) {
      set_body($widget, !$widget.find(BODY).hasClass('js-body-hide'));
    } else {
      set_open(true);
      set_body($widget, true);
    }
  }

  // On the block itself and with stopPropagation, as the CRM has it: document never hears a caption's click.
  function listen() {
    $('#widgets_block').on('click', '.card-widgets__top', function (event) {
      event.stopPropagation();
      toggle_column();
    }).on('click', '.js-widget-caption-block', function (event) {
      event.stopPropagation();
      press_caption(this);
    });
    $('#card_widgets_overlay').on('click', toggle_column);
    if (remembered() && $('#widgets_block').length) { set_open(true); }
  }

  // For the whole life of the page: a widget may ask for an open panel.
  function listen_once() {
    $(document).on('openWidgetPanel.page', function () {
      if ($('#widgets_block').length && !is_open()) { set_open(true); }
    });
  }

  // Without a widget that draws in it the column is not there at all.
  function show(counts) {
    var any = counts.leads_card + counts.everywhere > 0;
    $('#card_holder').toggleClass('js-widgets-hidden', !any);
    $('.js-card-widgets-cap').toggleClass('_with-widgets', any);
    if (any && $('#widgets_block').length) { $(document).trigger('widgets-in-card:show'); }
  }

  function image(name, params, kind) {
    return $('<img>', { 'class': 'card-widgets__widget__caption__' + name, alt: '', src: params.images_path + '/' + kind + '.png' });
  }

  function place(params, caption, body) {
    var code = params.widget_code;
    var $widget = $('<div>', { 'class': 'card-widgets__widget card-widgets__widget-' + code, 'data-code': code });
    var $caption = $('<div>', {
      'class': 'js-widget-caption-block card-widgets__widget__caption ' + (caption.class_name || '')
    }).append(image('logo', params, 'logo_medium'), image('logo_min', params, 'logo_min'), caption.html || '');
    $caption.append('<span class="card-widgets__widget__caption__arrow widgets__widget__caption__arrow_bottom"></span>');
    var $body = $('<div>', { 'class': 'card-widgets__widget__body' }).hide().append(body);
    $('#widgets_block .card-widgets__elements').append($widget.append($caption, $body));
    if (is_open() && $('.card-widgets__widget').length === 1) { set_body($widget, true); }
  }

  return { listen: listen, listen_once: listen_once, show: show, place: place };
});
