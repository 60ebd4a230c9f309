// Where the panel asks and how often. pack.py writes backend_url.
define([], function () {
  return {
    backend_url: '',
    panel_path: '/api/v1/panel',
    period_ms: 5000,
    slowest_ms: 60000,
    timeout_ms: 15000,
    watchdog_ms: 25000
  };
});
