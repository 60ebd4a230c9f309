// lib/components/base/modal: the CRM's window, with its event protocol.
define(['jquery', 'host/record'], function ($, record) {
  var KNOWN = [
    'class_name', 'init', 'destroy', 'container', 'disable_overlay_click', 'disable_escape_keydown',
    'disable_enter_keydown', 'disable_cancel_click', 'disable_resize', 'init_animation', 'default_overlay',
    'preload_templates', 'focus_element'
  ];
  var SHOWN_MS = 2000;
  var number = 0;

  function check(options) {
    Object.keys(options).forEach(function (name) {
      if (KNOWN.indexOf(name) < 0) { record.failures.push('Modal: no option is called ' + name); }
    });
  }

  function centrify($body) {
    $body.css('margin-top', Math.max(0, (window.innerHeight - $body.outerHeight()) / 2) + 'px');
  }

  function Modal(options) {
    this.options = $.extend({}, options);
    check(this.options);
    this.ns = '.modal' + (number += 1);
    this.$el = $('<div class="modal modal-list"><div class="modal-scroller custom-scroll">' +
      '<div class="modal-body modal-body_loading"></div></div></div>').addClass(this.options.class_name);
    this.$body = this.$el.find('.modal-body');
    this.$el.appendTo(this.options.container || document.body);
    this.listen();
    record.modals.push(this);
    if (this.options.init) { this.options.init.call(this, this.$body); }
    if (this.options.focus_element) { this.$body.find(this.options.focus_element).trigger('focus'); }
  }

  Modal.prototype.listen = function () {
    var self = this, off = this.options;
    this.$body.on('modal:loaded', function () { self.$body.removeClass('modal-body_loading'); })
      .on('modal:centrify', function () { centrify(self.$body); });
    this.$el.on('click', '.modal-body__close', function () { self.destroy(); });
    if (!off.disable_cancel_click) { this.$el.on('click', '.button-cancel, .js-modal-cancel', function () { self.destroy(); }); }
    if (!off.disable_overlay_click) {
      this.$el.on('click', '.modal-scroller', function (event) { if (event.target === this) { self.destroy(); } });
    }
    $(document).on('keydown' + this.ns, function (event) { self.key(event.which); });
    if (!off.disable_resize) { $(window).on('resize' + this.ns, function () { centrify(self.$body); }); }
  };

  Modal.prototype.key = function (code) {
    if (code === 27 && !this.options.disable_escape_keydown) { this.destroy(); }
    if (code === 13 && !this.options.disable_enter_keydown) { this.$body.find('.js-modal-accept').first().trigger('click'); }
  };

  // → false when the widget's own destroy() answers false: the window stays.
  Modal.prototype.destroy = function () {
    if (this.options.destroy && this.options.destroy.call(this) === false) { return false; }
    $(document).off(this.ns);
    $(window).off(this.ns);
    this.$el.remove();
    record.modals.splice(record.modals.indexOf(this), 1);
    return true;
  };

  Modal.prototype.message = function (kind, text) {
    this.$body.trigger('modal:loaded').html($('<p>', { 'class': 'modal-body__' + kind, text: text })).trigger('modal:centrify');
  };

  Modal.prototype.showSuccess = function (text, done, ms) {
    var self = this;
    this.message('success', text);
    setTimeout(function () {
      if (self.destroy() && done) { done(); }
    }, ms === undefined ? SHOWN_MS : ms);
  };

  Modal.prototype.showError = function (text) { this.message('error', text); };
  Modal.prototype._showError = Modal.prototype.showError;
  return Modal;
});
