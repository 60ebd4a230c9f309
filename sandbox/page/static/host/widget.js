// The base prototype of every widget object; members the page does not play throw loudly.
define(['jquery', 'twigjs', 'host/column', 'host/record', 'host/tokens'], function ($, twigjs, column, record, tokens) {
  var MISSING = [
    'crm_post', 'list_selected', 'widgetsOverlay', 'add_action', 'add_source', 'set_status', 'get_pipeline_id',
    'setSdkCatalogId', 'get_accounts_current', 'get_current_card_contacts_data'
  ];
  var AREAS = { leads_card: 'lcard', leads: 'llist', widgetsSettings: 'settings' };

  function deep(tree, path) {
    return String(path).split('.').reduce(function (node, key) { return node ? node[key] : undefined; }, tree);
  }

  function loaded(options, params) {
    var base = options.base_path || '';
    $.ajax({ url: base + options.href, dataType: 'text' }).done(function (text) {
      options.load(twigjs.twig({ data: text }));
    });
    return params;
  }

  function base(page) {
    var members = {
      set_lang: function (lang) { this.langs = lang; },
      set_settings: function (values) { this.params = $.extend(this.params || {}, values); },
      get_settings: function () { return $.extend({}, this.params); },
      get_version: function () { return String((this.params || {}).version || ''); },
      get_install_status: function () { return (this.params || {}).widget_active === 'Y' ? 'installed' : 'install'; },
      i18n: function (path) { return deep(this.langs, path); },
      system: function () {
        return {
          area: AREAS[page.area], amouser_id: page.user.id, amouser: page.user.email, amohash: '',
          subdomain: page.account.subdomain, domain: 'amocrm.ru', server: 'https://' + page.account.subdomain + '.amocrm.ru',
          displayed_count: 2, displayed_count_by_area: { leads_card: 2, everywhere: 0 }
        };
      },
      render: function (options, params) {
        if (options.data !== undefined) { return twigjs.twig({ data: options.data }).render(params || {}); }
        if (options.href) { return loaded(options, params); }
        throw new Error('the page has no template ' + options.ref);
      },
      render_template: function (options, params) {
        var body = options.body || twigjs.twig({ data: options.render || '' }).render(params || {});
        column.place(this.params, options.caption || {}, body);
      },
      $authorizedAjax: function (options) { return tokens.authorized(this.params.oauth_client_uuid, options); }
    };
    MISSING.forEach(function (name) {
      members[name] = function () {
        record.failures.push('not played: ' + name);
        throw new Error('the page does not play ' + name);
      };
    });
    return members;
  }

  return { base: base };
});
