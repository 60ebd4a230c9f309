// Two running totals, drawn by the page's own Chart.js 2.9; colours come from style.css, so both themes fit.
define(['chartjs', '../dom.js', '../format.js'], function (Chart, dom, format) {
  var COLOURS = ['accent', 'muted'];

  function colour(node, name) {
    return window.getComputedStyle(node).getPropertyValue('--salesrep-' + name).trim();
  }

  function numbers(values) {
    return values.map(function (value) { return value === null ? null : Number(value); });
  }

  function dataset(series, index, node) {
    var line = colour(node, COLOURS[index] || 'muted');
    return {
      label: series.title, data: numbers(series.values), borderColor: line, borderWidth: index ? 1.5 : 2,
      borderDash: index ? [4, 3] : [], backgroundColor: index ? 'transparent' : colour(node, 'accent-soft'),
      fill: index ? false : 'origin', lineTension: 0, pointRadius: 0, pointHoverRadius: 3, pointHitRadius: 8,
      pointBackgroundColor: line, spanGaps: false
    };
  }

  return function ChartView(lang) {
    var state = { chart: null, node: null, canvas: null, data: null, currency: null };
    // Chart.js's own resizing leaves nodes and a style rule behind; these two observers leave nothing.
    var size = new ResizeObserver(function () {
      if (!state.canvas || !state.canvas.offsetParent) { return; }
      if (state.chart) { state.chart.resize(); } else { draw(); }
    });
    var theme = new MutationObserver(function () {
      if (state.chart) { restart(); }
    });

    function ticks(node, limit) {
      return {
        fontColor: colour(node, 'secondary'), fontFamily: "'PT Sans', Arial, sans-serif", fontSize: 11,
        maxTicksLimit: limit, maxRotation: 0, autoSkipPadding: 8, padding: 2
      };
    }

    function axes(node, unit) {
      var short = function (value) { return format.short(value, unit, lang); };
      var line = { color: colour(node, 'border'), drawBorder: false, zeroLineColor: colour(node, 'border') };
      return {
        xAxes: [{ gridLines: { display: false }, ticks: ticks(node, 6) }],
        yAxes: [{ gridLines: line, ticks: Object.assign(ticks(node, 4), { beginAtZero: true, callback: short }) }]
      };
    }

    function tooltips(data, currency) {
      return {
        mode: 'index', intersect: false, titleFontSize: 11, bodyFontSize: 11, displayColors: false, caretSize: 4,
        callbacks: {
          label: function (item, all) {
            var name = all.datasets[item.datasetIndex].label;
            return name + ': ' + format.full(Number(item.yLabel), data.unit, currency, lang);
          }
        }
      };
    }

    function options(node) {
      return {
        responsive: false, maintainAspectRatio: false, animation: { duration: 0 }, hover: { animationDuration: 0 },
        legend: { display: false }, layout: { padding: { top: 8, right: 8 } },
        scales: axes(node, state.data.unit), tooltips: tooltips(state.data, state.currency)
      };
    }

    function datasets(node) {
      return state.data.series.map(function (series, index) { return dataset(series, index, node); });
    }

    function draw() {
      state.chart = new Chart(state.canvas.getContext('2d'), {
        type: 'line', data: { labels: state.data.labels, datasets: datasets(state.canvas) }, options: options(state.canvas)
      });
      state.chart.resize();
    }

    function stop() {
      if (state.chart) { state.chart.destroy(); }
      state.chart = null;
    }

    function restart() {
      stop();
      draw();
    }

    function legend(data) {
      return dom.el('ul', 'legend', data.series.map(function (series, index) {
        return dom.el('li', 'legend__item legend__item_' + (COLOURS[index] || 'muted'), series.title);
      }));
    }

    function build(data) {
      state.canvas = dom.el('canvas', 'chart__canvas', null, { role: 'img', 'aria-label': data.title });
      state.node = dom.el('section', 'section chart', [
        dom.el('h3', 'section__title', data.title), legend(data), dom.el('div', 'chart__frame', state.canvas)
      ]);
      size.observe(state.canvas.parentNode);
    }

    // → the node to place, or null; it draws when it first has a size on the page.
    this.show = function (data, currency) {
      stop();
      size.disconnect();
      state.data = data;
      state.currency = currency;
      state.canvas = null;
      if (!data) { return null; }
      build(data);
      return state.node;
    };

    this.remove = function () {
      size.disconnect();
      theme.disconnect();
      stop();
    };

    theme.observe(document.documentElement, { attributes: true, attributeFilter: ['data-color-scheme'] });
  };
});
