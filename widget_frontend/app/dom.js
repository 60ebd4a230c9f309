// DOM building by node and text only: names of leads and people never pass through an HTML parser.
define([], function () {
  var PREFIX = 'salesrep-';

  function classes(names) {
    return names.split(' ').map(function (name) { return PREFIX + name; }).join(' ');
  }

  // el('p', 'note note_warn', 'text' | [nodes], {title: '…'}) → element; null children and attributes are left out.
  function el(tag, names, content, attributes) {
    var node = document.createElement(tag);
    if (names) { node.className = classes(names); }
    [].concat(content === undefined || content === null ? [] : content).forEach(function (part) {
      if (part === null || part === undefined) { return; }
      node.appendChild(typeof part === 'object' ? part : document.createTextNode(String(part)));
    });
    Object.keys(attributes || {}).forEach(function (name) {
      if (attributes[name] !== null && attributes[name] !== undefined) { node.setAttribute(name, attributes[name]); }
    });
    return node;
  }

  function fill(node, content) {
    while (node.firstChild) { node.removeChild(node.firstChild); }
    [].concat(content || []).forEach(function (part) { if (part) { node.appendChild(part); } });
  }

  return { el: el, fill: fill, classes: classes };
});
