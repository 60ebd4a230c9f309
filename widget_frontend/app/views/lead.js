// The lead on the card: what to do next, and how long it has stood where it stands.
define(['../dom.js', './notice.js'], function (dom, notice) {
  var LEVELS = { bad: 'bad', warn: 'warn', ok: 'ok', info: 'info' };

  function next_step(next) {
    return [
      dom.el('p', 'step__title', next.title),
      next.text ? dom.el('p', 'step__text', next.text) : null,
      next.due_text ? dom.el('p', 'step__due', next.due_text) : null
    ];
  }

  function place(lead) {
    return dom.el('p', 'step__place', [
      dom.el('span', 'step__status', lead.status, { title: lead.pipeline }),
      lead.in_status_text ? dom.el('span', 'step__days', lead.in_status_text) : null
    ]);
  }

  function absent(panel, lead_id, t) {
    // Without the right to see leads the message below the header says everything.
    if (panel.viewer && panel.viewer.scope === 'D') { return null; }
    return notice.line('info', t(lead_id ? 'lead.unknown' : 'lead.new'));
  }

  return function lead_block(panel, lead_id, t) {
    var lead = panel.lead;
    if (!lead) { return absent(panel, lead_id, t); }
    var level = LEVELS[lead.next && lead.next.level] || 'info';
    return dom.el('section', 'step step_' + level, [
      dom.el('h3', 'sr', t('lead.heading'))
    ].concat(lead.next ? next_step(lead.next) : [], place(lead)), { 'data-lead': lead.id });
  };
});
