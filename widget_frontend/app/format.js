// Texts of the widget's own: i18n with named places, and the short numbers of the chart's axis and tooltip.
define([], function () {
  // Intl options by the API's units; every other number comes formatted from the API.
  function options(unit, currency) {
    if (unit === 'money') {
      return { style: 'currency', currency: currency || 'RUB', minimumFractionDigits: 0, maximumFractionDigits: 0 };
    }
    return { maximumFractionDigits: unit === 'percent' || unit === 'ratio' ? 1 : 0 };
  }

  // → function (path, values) giving the text of the interface; the path itself when a text is missing.
  function translator(widget) {
    return function (path, values) {
      var text = widget.i18n(path);
      if (typeof text !== 'string') { text = path; }
      return text.replace(/\{(\w+)\}/g, function (place, name) {
        return values && values[name] !== undefined ? String(values[name]) : place;
      });
    };
  }

  function full(value, unit, currency, lang) {
    return new Intl.NumberFormat(lang, options(unit, currency)).format(value);
  }

  function short(value, unit, lang) {
    return new Intl.NumberFormat(lang, { notation: 'compact', maximumFractionDigits: 1 }).format(value)
      + (unit === 'percent' ? ' %' : '');
  }

  return { translator: translator, full: full, short: short };
});
