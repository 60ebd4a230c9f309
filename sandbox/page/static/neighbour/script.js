// A widget that stands before the tested one, so that the tested one starts closed.
define([], function () {
  return function () {
    var self = this;
    function yes() { return true; }
    this.callbacks = {
      render: function () {
        self.render_template({
          caption: { class_name: 'neighbour-caption' }, render: '',
          body: '<div class="neighbour">' + self.i18n('text') + '</div>'
        });
        return true;
      },
      init: yes, bind_actions: yes, settings: yes, onSave: yes, destroy: yes
    };
    return this;
  };
});
