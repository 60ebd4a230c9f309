// The panel as slots, each drawn again only when its part of the answer changed.
define([
  'jquery', '../dom.js', './chart.js', './header.js', './lead.js', './notice.js', './section.js', './skeleton.js'
], function ($, dom, ChartView, header, lead, notice, section, skeleton) {
  var SLOTS = ['notice', 'lead', 'header', 'sections', 'chart', 'footer'];

  function empty_text(panel, t) {
    return t(panel.viewer && panel.viewer.scope === 'D' ? 'empty.rights' : 'empty.none');
  }

  // t: translator; retry: function called by the button of an error.
  return function PanelView(root, t, retry) {
    var slots = {};
    var drawn = {};
    var chart = new ChartView(t('lang'));
    var metrics = new section.Metrics(t);
    var shown = null;

    // Redrawing must not throw a keyboard reader back to the top of the page: the same button keeps the focus.
    function refill(slot, content) {
      var active = document.activeElement;
      var key = slot.contains(active) ? active.getAttribute('data-key') : null;
      dom.fill(slot, content);
      if (!key) { return; }
      $(slot).find('[data-key]').filter(function () { return this.getAttribute('data-key') === key; }).focus();
    }

    function draw(name, data, content) {
      var key = JSON.stringify(data === undefined ? null : data);
      if (drawn[name] === key) { return; }
      drawn[name] = key;
      refill(slots[name], content());
    }

    function use_slots() {
      if (slots.header.parentNode === root) { return; }
      root.removeAttribute('aria-busy');
      dom.fill(root, SLOTS.map(function (name) { return slots[name]; }));
    }

    function draw_notices(panel) {
      draw('notice', [panel.account && panel.account.state, panel.progress_text], function () {
        return notice.of_panel(panel, t);
      });
    }

    function draw_sections(panel) {
      draw('sections', [panel.sections, panel.viewer && panel.viewer.scope], function () {
        if (!panel.sections.length) { return notice.line('info', empty_text(panel, t)); }
        return panel.sections.map(metrics.section);
      });
    }

    function draw_chart(panel) {
      draw('chart', panel.chart, function () {
        return chart.show(panel.chart, (panel.account || {}).currency);
      });
    }

    this.show = function (panel, lead_id) {
      shown = panel;
      use_slots();
      draw_notices(panel);
      draw('header', [panel.period, panel.viewer], function () { return header(panel, t); });
      draw('lead', [panel.lead, lead_id], function () { return lead(panel, lead_id, t); });
      draw_sections(panel);
      draw_chart(panel);
      draw('footer', panel.as_of_text, function () {
        return panel.as_of_text ? dom.el('p', 'footer', panel.as_of_text, { title: panel.as_of }) : null;
      });
    };

    // The answer did not change: an error shown meanwhile goes away, the rest stays as it is.
    this.confirm = function () {
      if (shown) { draw_notices(shown); }
    };

    this.fail = function (failure) {
      use_slots();
      // The support code differs every time; the message is read out once.
      draw('notice', [failure.kind, failure.message, failure.remedy_url], function () {
        return notice.of_failure(failure, Boolean(shown), t, retry);
      });
    };

    this.remove = function () {
      chart.remove();
      if (root.parentNode) { root.parentNode.removeChild(root); }
    };

    SLOTS.forEach(function (name) {
      slots[name] = dom.el('div', 'slot', null, { 'data-slot': name });
    });
    root.setAttribute('role', 'region');
    root.setAttribute('aria-label', t('panel.label'));
    root.setAttribute('aria-busy', 'true');
    dom.fill(root, skeleton(t));
  };
});
