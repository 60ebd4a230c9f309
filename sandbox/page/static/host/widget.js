// The base prototype of every widget object; members the page does not play throw loudly.
define(['jquery', 'twigjs', 'host/column', 'host/list', 'host/now', 'host/record', 'host/templates', 'host/tokens'], function (
  $, twigjs, column, list, now, record, templates, tokens
) {
  var MISSING = [
    'crm_post', 'widgetsOverlay', 'add_action', 'add_source', 'get_pipeline_id', 'setSdkCatalogId',
    'get_accounts_current', 'get_current_card_contacts_data'
  ];
  var AREAS = {
    leads_card: 'lcard', leads: 'llist', widgetsSettings: 'settings', 'advanced-settings': 'advanced_settings',
    'widget-page': 'widget_page'
  };
  var STATUSES = ['install', 'installed', 'not_configured', 'error'];

  function deep(tree, path) {
    return String(path).split('.').reduce(function (node, key) { return node ? node[key] : undefined; }, tree);
  }

  function rendered(text, params) {
    return twigjs.twig({ data: text }).render(params || {});
  }

  // load(template) is called only when the file loads; with `promised` the answer is a promise of it too.
  function from_file(options) {
    var version = options.v ? '?v=' + options.v : '';
    var result = $.ajax({ url: (options.base_path || '') + options.href + version, dataType: 'text' }).then(function (text) {
      var template = twigjs.twig({ data: text });
      if (options.load) { options.load(template); }
      return template;
    });
    return options.promised ? result : '';
  }

  function host_template(ref) {
    if (!Object.prototype.hasOwnProperty.call(templates, ref)) { throw new Error('the page has no template ' + ref); }
    return templates[ref];
  }

  function default_status(params) {
    return params.widget_active === 'Y' ? 'installed' : 'install';
  }

  var members = {
    set_lang: function (lang) { this.langs = lang; },
    set_settings: function (values) { this.params = $.extend(this.params || {}, values); },
    get_settings: function () { return $.extend({}, this.params); },
    get_version: function () { return String((this.params || {}).version || ''); },
    get_install_status: function () { return this.install_status || default_status(this.params || {}); },
    set_status: function (status) {
      if (STATUSES.indexOf(status) < 0) { throw new Error('set_status: no status is called ' + status); }
      this.install_status = status;
    },
    i18n: function (path) { return deep(this.langs, path); },
    list_selected: function () { return list.selected(); },
    system: function () {
      var constants = now.page().constants;
      var subdomain = constants.account.subdomain;
      return $.extend(true, {
        area: AREAS[now.area()], amouser_id: constants.user.id, amouser: constants.user.login, amohash: '',
        subdomain: subdomain, domain: 'amocrm.ru', server: 'https://' + subdomain + '.amocrm.ru'
      }, record.system);
    },
    render: function (options, params) {
      if (options.data !== undefined) { return rendered(options.data, params); }
      return options.href ? from_file(options) : rendered(host_template(options.ref), params);
    },
    render_template: function (options, params) {
      if (now.area() !== 'leads_card') { record.failures.push('render_template outside a card'); }
      column.place(this.params, options.caption || {}, options.body || rendered(options.render || '', params));
    },
    $authorizedAjax: function (options) { return tokens.authorized(this.params.oauth_client_uuid, options); }
  };

  MISSING.forEach(function (name) {
    members[name] = function () {
      record.failures.push('not played: ' + name);
      throw new Error('the page does not play ' + name);
    };
  });

  return { members: members };
});
