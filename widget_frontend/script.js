// amoCRM's callbacks and nothing else; what the panel does is in app/.
define(['./app/panel.js', './app/settings.js'], function (Panel, settings) {
  return function () {
    var self = this;
    var panel = null;

    function yes() {
      return true;
    }

    this.callbacks = {
      // Called again on every return to the card, sometimes twice in a row: mount() does nothing then.
      render: function () {
        if (self.system().area === 'lcard') {
          panel = panel || new Panel(self);
          panel.mount();
        }
        return true;
      },
      init: yes,
      bind_actions: yes,
      settings: function ($modal_body) {
        settings.draw(self, $modal_body);
        return true;
      },
      onSave: yes,
      destroy: function () {
        if (panel) {
          panel.unmount();
          panel = null;
        }
        settings.remove();
      }
    };
    return this;
  };
});
