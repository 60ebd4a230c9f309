// Sections of metrics: title, value, change; the formula opens under the row. Knows no metric by name.
define(['jquery', '../dom.js'], function ($, dom) {
  var TRENDS = { good: 'panel.better', bad: 'panel.worse', flat: 'panel.same' };
  var NONE = '—';

  function Metrics(t) {
    var open = {};
    var before = {};

    function value(metric) {
      var missing = metric.value === null || metric.value === undefined;
      return dom.el('span', 'metric__value' + (missing ? ' metric__value_none' : ''), missing ? NONE : metric.text, {
        title: missing ? metric.reason_text || t('panel.no_value') : null
      });
    }

    function change(metric) {
      if (!metric.change_text) { return null; }
      var trend = TRENDS[metric.trend];
      return dom.el('span', 'change change_' + (trend ? metric.trend : 'none'), [
        metric.change_text, trend ? dom.el('span', 'sr', ', ' + t(trend)) : null
      ]);
    }

    function details(metric, id) {
      var missing = metric.value === null || metric.value === undefined;
      return dom.el('div', 'metric__details', [
        metric.hint ? dom.el('p', 'metric__hint', metric.hint) : null,
        missing && metric.reason_text ? dom.el('p', 'metric__hint', metric.reason_text) : null,
        metric.small ? dom.el('p', 'metric__hint', t('panel.small_hint')) : null
      ], { id: id });
    }

    function title(metric, key, node) {
      if (!metric.hint && !metric.reason_text && !metric.small) { return dom.el('span', 'metric__title', metric.title); }
      var button = dom.el('button', 'metric__title metric__title_button', metric.title, {
        type: 'button', 'data-key': key, title: metric.reason_text || metric.hint,
        'aria-label': t('panel.about', { title: metric.title }), 'aria-controls': 'salesrep-about-' + key
      });
      $(button).on('click', function () { toggle(key, node, button, !open[key]); });
      return button;
    }

    function toggle(key, node, button, is_open) {
      open[key] = is_open;
      button.setAttribute('aria-expanded', String(is_open));
      $(node).toggleClass(dom.classes('metric_open'), is_open);
    }

    function row(section_id, metric, first) {
      var key = section_id + '-' + metric.id;
      var changed = before[key] !== undefined && before[key] !== metric.text;
      var node = dom.el('li', 'metric' + (first ? ' metric_hero' : '') + (changed ? ' metric_changed' : ''), null, {
        'data-metric': metric.id
      });
      var name = title(metric, key, node);
      dom.fill(node, [
        dom.el('div', 'metric__line', [name, value(metric)]),
        dom.el('div', 'metric__line metric__line_small', [
          dom.el('span', 'metric__previous', metric.previous_text ? t('panel.before', { text: metric.previous_text }) : ''),
          metric.small ? dom.el('span', 'metric__small', t('panel.small'), { title: t('panel.small_hint') }) : change(metric)
        ]),
        details(metric, 'salesrep-about-' + key)
      ]);
      if (name.tagName === 'BUTTON') { toggle(key, node, name, Boolean(open[key])); }
      before[key] = metric.text;
      return node;
    }

    this.section = function (data) {
      return dom.el('section', 'section', [
        dom.el('h3', 'section__title', data.title),
        dom.el('ul', 'metrics', data.metrics.map(function (metric, index) {
          return row(data.id, metric, index === 0);
        }))
      ], { 'data-section': data.id });
    };
  }

  return { Metrics: Metrics };
});
