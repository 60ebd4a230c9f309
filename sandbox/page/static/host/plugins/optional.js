// A module that fails to load becomes undefined; the page remembers why.
define(['host/record'], function (record) {
  return {
    load: function (name, req, onload) {
      req([name], function (module) { onload(module); }, function (error) {
        record.failures.push(String(error));
        onload(undefined);
      });
    }
  };
});
