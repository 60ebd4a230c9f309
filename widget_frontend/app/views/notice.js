// One-line messages, the state of the account, and errors with what to do about them.
define(['jquery', '../dom.js'], function ($, dom) {
  var STATES = { paused: 'warn', reauth_required: 'bad', disconnected: 'bad' };

  function line(level, text) {
    return dom.el('p', 'note note_' + level, text);
  }

  function of_panel(panel, t) {
    var state = panel.account ? panel.account.state : null;
    return [
      STATES[state] ? line(STATES[state], t('account.' + state)) : null,
      panel.progress_text ? line('info', panel.progress_text) : null
    ];
  }

  function actions(failure, t, retry) {
    var again = dom.el('button', 'button', t('panel.retry'), { type: 'button', 'data-key': 'retry' });
    $(again).on('click', retry);
    return dom.el('p', 'note__actions', [
      failure.remedy_url ? dom.el('a', 'button button_main', t('errors.e409.action'), {
        href: failure.remedy_url, target: '_blank', rel: 'noopener noreferrer'
      }) : null,
      again
    ]);
  }

  // failure: see failure.js; stale: earlier numbers stand below the message.
  function of_failure(failure, stale, t, retry) {
    var texts = 'errors.' + failure.kind;
    var level = stale || failure.kind === 'e429' ? 'warn' : 'bad';
    return dom.el('div', 'note note_' + level, [
      dom.el('p', 'note__title', t(texts + '.title')),
      failure.message ? dom.el('p', 'note__text', failure.message) : null,
      dom.el('p', 'note__text', t(texts + '.text')),
      stale ? dom.el('p', 'note__text', t('panel.stale')) : null,
      failure.request_id ? dom.el('p', 'note__code', t('panel.request_id', { id: failure.request_id })) : null,
      actions(failure, t, retry)
    ], { role: 'alert', 'data-error': failure.kind });
  }

  return { line: line, of_panel: of_panel, of_failure: of_failure };
});
