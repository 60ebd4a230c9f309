// The life of one panel: mount, ask, draw, unmount.
define([
  './api.js', './format.js', './poller.js', './style.js', './views/panel.js'
], function (Api, format, Poller, style, PanelView) {
  function card_lead_id() {
    var host = window.APP || window.AMOCRM;
    var card = host && host.data ? host.data.current_card : null;
    return card && card.id ? Number(card.id) : null;
  }

  return function Panel(widget) {
    var root_id = 'salesrep-panel-' + widget.params.widget_code;
    var parts = null;

    function load() {
      var mine = parts;
      var lead_id = card_lead_id();
      var query = lead_id ? { lead_id: lead_id, lang: mine.t('lang') } : { lang: mine.t('lang') };
      return mine.api.panel(query).done(function (panel) {
        if (parts !== mine) { return; }
        if (panel) { mine.view.show(panel, lead_id); } else { mine.view.confirm(); }
      }).fail(function (failure) {
        if (parts === mine) { mine.view.fail(failure); }
      });
    }

    // A root that an earlier life of the widget left is taken over: a second block must never appear.
    function place() {
      var left = document.getElementById(root_id);
      if (left) { return left; }
      widget.render_template({
        caption: { class_name: 'salesrep-caption' },
        body: '<div class="salesrep-root salesrep-panel" id="' + root_id + '"></div>',
        render: ''
      });
      return document.getElementById(root_id);
    }

    function start(node) {
      var t = format.translator(widget);
      parts = { node: node, t: t, api: new Api(widget) };
      parts.view = new PanelView(node, t, function () { parts.poller.now(); });
      parts.poller = new Poller(node, widget.ns || '.salesrep', load);
    }

    this.mount = function () {
      if (parts && document.body.contains(parts.node)) { return; }
      this.unmount();
      style.link(widget.params);
      var node = place();
      if (node) { start(node); }
    };

    this.unmount = function () {
      var old = parts;
      parts = null;
      if (old) {
        old.poller.stop();
        old.api.stop();
        old.view.remove();
      }
      style.unlink();
    };
  };
});
