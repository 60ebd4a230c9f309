// The integrations page: a tile opens its window; install, save and disable go through the widget's onSave.
define(['jquery', 'host/fields', 'host/life', 'host/record'], function ($, fields, life, record) {
  var load_one = null;

  function entry_of(code) { return record.entries[code]; }

  function say($modal, text) {
    $modal.find('.js-modal-error').text(text).prop('hidden', !text);
  }

  // A widget that could not be loaded is a stub; one whose settings() ate the Save button is at fault.
  function settings(code, $modal) {
    var made = record.widgets[code];
    if (!made) {
      $modal.find('.widget_settings_block').html('<p class="modal__stub">—</p>');
      return;
    }
    if (made.callbacks.settings) {
      life.guarded(code, function () { made.callbacks.settings($modal.find('.modal-body')); });
    }
    if (!$modal.find('.js-widget-save').length) { record.failures.push(code + ': settings() removed the Save button'); }
  }

  function open(code) {
    var $modal = $($('#modal-' + code).html()).appendTo('body');
    fields.write($modal, entry_of(code).settings);
    show_state(code, $modal);
    $modal.on('click', '.js-modal-close', function () { $modal.remove(); });
    $modal.on('change input button:save:enable', function () { $modal.find('.js-widget-save').removeClass('button-input-disabled'); });
    $modal.on('button:save:error', function () { $modal.find('.js-widget-save').addClass('button-input-error'); });
    $modal.on('click', '.js-widget-save, .js-widget-install', function () { press(code, $modal, this); });
    $modal.on('click', '.js-widget-uninstall', function () { disable(code, $modal); });
    load_one(code, entry_of(code)).then(function () {
      settings(code, $modal);
      $modal.attr('data-ready', true);
    });
  }

  // true, or a promise that resolves → yes; false or a rejection → no.
  function agreed(answer) {
    var result = $.Deferred();
    if (answer && typeof answer.then === 'function') { answer.then(result.resolve, result.reject); }
    else if (answer) { result.resolve(); } else { result.reject(); }
    return result.promise();
  }

  function ask(code, event) {
    var made = record.widgets[code];
    if (!made || !made.callbacks.onSave) { return $.Deferred().resolve().promise(); }
    return agreed(life.guarded(code, function () { return made.callbacks.onSave(event); }));
  }

  function keep(code, active, values) {
    entry_of(code).active = active;
    entry_of(code).settings = values;
    return $.ajax({
      url: '/ajax/widgets/edit', type: 'POST', contentType: 'application/json',
      data: JSON.stringify({ code: code, active: active, fields: values })
    });
  }

  function show_state(code, $modal) {
    var active = entry_of(code).active === 'Y';
    var $tile = $('.js-widget-tile[data-code="' + code + '"]');
    $tile.find('small').text($tile.attr(active ? 'data-on' : 'data-off'));
    $modal.find('.js-widget-install').prop('hidden', active);
    $modal.find('.js-widget-save').prop('hidden', !active).addClass('button-input-disabled').removeClass('button-input-error');
    $modal.find('.js-widget-uninstall').prop('hidden', !active);
  }

  function saved(code, $modal, installing, values) {
    var made = record.widgets[code];
    made.set_settings($.extend({}, values, { widget_active: 'Y' }));
    made.set_status('installed');
    if (installing && made.callbacks.onInstall) { life.guarded(code, function () { made.callbacks.onInstall(); }); }
    if (installing) { $(document).trigger('widget:installed', [code, made.get_settings()]); }
    show_state(code, $modal);
    if ($modal.find('[data-onsave-destroy-modal]').length) { $modal.remove(); }
  }

  function press(code, $modal, button) {
    var installing = $(button).hasClass('js-widget-install');
    var event = { active: 'Y', fields: fields.read($modal) };
    if ($(button).hasClass('button-input-disabled')) { return; }
    say($modal, '');
    if (fields.missing($modal).length) {
      say($modal, fields.missing($modal).join(', '));
      return;
    }
    ask(code, event).done(function () {
      keep(code, 'Y', event.fields).done(function () { saved(code, $modal, installing, event.fields); });
    }).fail(function () { $modal.find('.js-widget-save').trigger('button:save:error'); });
  }

  // Whatever onSave answers: a user can switch an integration off at any time.
  function disable(code, $modal) {
    var event = { active: 'N', fields: fields.read($modal) };
    ask(code, event).always(function () {
      keep(code, 'N', event.fields).done(function () {
        if (record.widgets[code]) { life.destroy(code); }
        $(document).trigger('widget:removed', [code, null, false]);
        show_state(code, $modal);
        $modal.remove();
      });
    });
  }

  return {
    listen: function (loader) {
      load_one = loader;
      $('.js-widget-tile').on('click', function () { open(this.getAttribute('data-code')); });
    },
    close: function () { $('.widget-settings__modal').remove(); }
  };
});
