// With audit=1, before everything else: keeps account of timers, observers, listeners, requests and foreign nodes.
(function () {
  // What the host's own Chart.js puts into a page at its first use, whoever uses it.
  var LIBRARY_NAMES = ['Chart', 'Color'];
  var LIBRARY_STYLE = '/* Chart.js */';
  var alive = new Map();
  var known = null;
  var number = 0;

  // A browser's driver works in the page too; its frames carry no address of ours. The loader's own timers are the host's.
  function from_page() {
    var frames = new Error('who').stack.split('\n').filter(function (line) {
      return line.indexOf(window.location.origin) >= 0 && line.indexOf('/host/audit.js') < 0;
    });
    return frames.length > 0 && frames[0].indexOf('/lib/require.js') < 0;
  }

  function add(kind, detail, still) {
    if (!from_page()) { return 0; }
    number += 1;
    alive.set(number, { text: kind + ' ' + detail, still: still });
    return number;
  }

  function wrap_timer(set_name, clear_name, once) {
    var set = window[set_name], clear = window[clear_name], keys = {};
    window[set_name] = function (what, ms) {
      var rest = Array.prototype.slice.call(arguments, 2);
      var id = set(function () {
        if (once) { alive.delete(keys[id]); }
        what.apply(window, rest);
      }, ms);
      keys[id] = add(set_name, String(ms));
      return id;
    };
    window[clear_name] = function (id) {
      alive.delete(keys[id]);
      clear(id);
    };
  }

  function wrap_observer(name) {
    var Base = window[name];
    window[name] = class extends Base {
      observe(target, options) {
        // An observer holds its target only weakly: one on a node that is gone observes nothing.
        this.__key = this.__key || add(name, target.nodeName, function () { return target.isConnected; });
        return super.observe(target, options);
      }
      disconnect() {
        alive.delete(this.__key);
        this.__key = null;
        return super.disconnect();
      }
    };
  }

  function flag(options) {
    return options === true || Boolean(options && options.capture);
  }

  function wrap_listeners() {
    var proto = EventTarget.prototype, set = proto.addEventListener, clear = proto.removeEventListener;
    var entries = [];
    function find(target, type, what, options) {
      return entries.findIndex(function (entry) {
        return entry.target === target && entry.type === type && entry.what === what && entry.capture === flag(options);
      });
    }
    proto.addEventListener = function (type, what, options) {
      var target = this === undefined || this === null ? window : this;
      var lasting = target === window || target === document || (target.nodeType === 1 && target.nodeName !== 'SCRIPT');
      if (what && lasting && find(target, type, what, options) < 0) {
        var name = target === window ? 'window' : target.nodeName;
        var key = add('listener', type + ' on ' + name, function () { return target === window || target.isConnected; });
        entries.push({ target: target, type: type, what: what, capture: flag(options), key: key });
      }
      return set.call(target, type, what, options);
    };
    proto.removeEventListener = function (type, what, options) {
      var target = this === undefined || this === null ? window : this;
      var at = find(target, type, what, options);
      if (at >= 0) { alive.delete(entries.splice(at, 1)[0].key); }
      return clear.call(target, type, what, options);
    };
  }

  function wrap_requests() {
    var open = XMLHttpRequest.prototype.open, send = XMLHttpRequest.prototype.send;
    XMLHttpRequest.prototype.open = function (method, address) {
      this.__address = method + ' ' + address;
      return open.apply(this, arguments);
    };
    XMLHttpRequest.prototype.send = function (body) {
      // What the host asks for itself, tokens for one, is not the widget's.
      var key = this.__address.indexOf(' /ajax/') < 0 ? add('request', this.__address) : 0;
      this.addEventListener('loadend', function () { alive.delete(key); });
      return send.call(this, body);
    };
  }

  function nodes() {
    var found = document.querySelectorAll('head > *:not([data-requiremodule]), body > *, body style, body link');
    return Array.prototype.filter.call(found, function (node) {
      return node.id !== 'page_holder' && node.textContent.indexOf(LIBRARY_STYLE) !== 0;
    });
  }

  function describe(node) {
    return 'node ' + node.outerHTML.slice(0, 120);
  }

  wrap_timer('setTimeout', 'clearTimeout', true);
  wrap_timer('setInterval', 'clearInterval', false);
  ['IntersectionObserver', 'ResizeObserver', 'MutationObserver'].forEach(wrap_observer);
  wrap_listeners();
  wrap_requests();
  Object.defineProperty(window, '__audit', {
    value: {
      mark: function () {
        if (!known) { known = { number: number, nodes: nodes(), names: Object.keys(window) }; }
      },
      // What has come since the mark and is still there, in words.
      left: function () {
        var found = [];
        alive.forEach(function (entry, key) {
          if (key > known.number && (!entry.still || entry.still())) { found.push(entry.text); }
        });
        nodes().forEach(function (node) { if (known.nodes.indexOf(node) < 0) { found.push(describe(node)); } });
        Object.keys(window).forEach(function (name) {
          if (known.names.concat(LIBRARY_NAMES).indexOf(name) < 0) { found.push('global ' + name); }
        });
        return found;
      }
    }
  });
})();
