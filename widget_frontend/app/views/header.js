// Which month, whose leads, compared with what.
define(['../dom.js'], function (dom) {
  return function header(panel, t) {
    var period = panel.period || {};
    var scope = panel.viewer ? panel.viewer.scope : null;
    return dom.el('div', 'header', [
      dom.el('div', 'header__line', [
        dom.el('span', 'header__title', period.title),
        scope ? dom.el('span', 'badge badge_' + (scope === 'D' ? 'warn' : 'info'), t('scope.' + scope), {
          title: t('scope.hint')
        }) : null
      ]),
      period.compared_text ? dom.el('p', 'header__note', period.compared_text) : null
    ]);
  };
});
