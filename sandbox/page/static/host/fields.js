// The settings form: what is stored for each type of a manifest's field.
define(['jquery'], function ($) {
  // The host stores a custom field only as a number or JSON; a plain string is lost.
  function custom(text) {
    try {
      JSON.parse(text);
      return text;
    } catch (plain) {
      return '';
    }
  }

  function per_user($inputs, with_parts) {
    var values = {};
    $inputs.each(function () {
      var user = this.getAttribute('data-user');
      if (with_parts) {
        values[user] = values[user] || {};
        values[user][this.getAttribute('data-part')] = this.value;
      } else {
        values[user] = this.value;
      }
    });
    return values;
  }

  function value_of($field) {
    var type = $field.attr('data-type');
    var $inputs = $field.find('[name="' + $field.attr('data-field') + '"]');
    if (type === 'users' || type === 'users_lp') { return per_user($inputs, type === 'users_lp'); }
    return type === 'custom' ? custom($inputs.val()) : $inputs.val();
  }

  function read($modal) {
    var values = {};
    $modal.find('[data-field]').each(function () { values[this.getAttribute('data-field')] = value_of($(this)); });
    return values;
  }

  function saved_for(input, value) {
    var user = input.getAttribute('data-user'), part = input.getAttribute('data-part');
    if (!user || !value) { return value; }
    return part ? (value[user] || {})[part] : value[user];
  }

  function write($modal, values) {
    $modal.find('[data-field]').each(function () {
      var name = this.getAttribute('data-field');
      $(this).find('[name="' + name + '"]').each(function () {
        var value = saved_for(this, values[name]);
        this.value = value === undefined || value === null ? '' : value;
      });
    });
  }

  // Titles of required fields that hold nothing.
  function missing($modal) {
    return $modal.find('[data-required]').filter(function () { return value_of($(this)) === ''; })
      .map(function () { return $(this).find('.widget_settings_block__title_field').text(); }).get();
  }

  return { read: read, write: write, missing: missing };
});
