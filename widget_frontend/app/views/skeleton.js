// What stands in the panel until the first answer.
define(['../dom.js'], function (dom) {
  return function skeleton(t) {
    var rows = ['card', 'title', 'hero', 'row', 'row', 'row'].map(function (kind) {
      return dom.el('div', 'bone bone_' + kind);
    });
    return [dom.el('p', 'sr', t('panel.loading'), { role: 'status' })].concat(rows);
  };
});
