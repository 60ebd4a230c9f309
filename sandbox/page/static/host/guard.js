// An object of documented names only: other reads and every write throw, and all reads are recorded.
define(['host/record'], function (record) {
  function refuse(what, path, name) {
    var text = 'the widget ' + what + ' ' + path + (name === undefined ? '' : '.' + String(name)) + ', which is not documented';
    record.failures.push(text);
    throw new Error(text);
  }

  // getters: {name: function () → value}; nested guards are values like any other.
  function guard(path, getters) {
    return new Proxy({}, {
      get: function (_, name) {
        if (typeof name === 'symbol') { return undefined; }
        if (!Object.prototype.hasOwnProperty.call(getters, name)) { refuse('reads', path, name); }
        record.reads.push(path + '.' + name);
        return getters[name]();
      },
      has: function (_, name) { return Object.prototype.hasOwnProperty.call(getters, name); },
      set: function (_, name) { return refuse('writes', path, name); },
      deleteProperty: function (_, name) { return refuse('deletes', path, name); },
      defineProperty: function (_, name) { return refuse('defines', path, name); }
    });
  }

  guard.refuse = refuse;
  return guard;
});
