// The CRM's modal window is not played: a widget that opens one must fail here, not on a client's page.
define([], function () {
  return function Modal() {
    throw new Error('the page does not play lib/components/base/modal');
  };
});
