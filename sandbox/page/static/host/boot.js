// RequireJS by the names the CRM gives to widgets; every other name is a load error.
require.config({
  baseUrl: '/lib',
  waitSeconds: 20,
  paths: {
    host: '/static/host',
    json: '/static/host/plugins/json',
    text: '/static/host/plugins/text',
    optional: '/static/host/plugins/optional',
    'host/templates': '/frontend/build/templates',
    'lib/components/base/modal': '/static/host/modal'
  }
});
require(['jquery', 'host/page'], function ($, page) {
  $(function () { page.start(JSON.parse(document.getElementById('page-data').textContent)); });
});
