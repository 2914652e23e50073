import embed from 'vega-embed';

// What runs in the reader's browser: every figure is already there as static SVG; this replaces each by a live one
// with tooltips and links to save it. A figure that fails stays as it was. The page forbids eval, so expressions
// are interpreted from their syntax tree (`ast`), and it forbids foreign style sheets, so the rules that vega-embed
// and vega-tooltip would inject are in the page's own.
const sources = document.querySelectorAll('script[type="application/json"][data-figure]');
Promise.all([...sources].map(bringToLife)).then(() => {
  document.documentElement.dataset.figures = 'live';
});

// vega-embed fills in what a link saves when the mouse goes down on it, which a keyboard never does: Enter would save
// the page under the figure's name.
function saveByKeyboard(link) {
  link.addEventListener('focus', () => link.dispatchEvent(new MouseEvent('mousedown')));
  link.addEventListener('click', (event) => {
    if (link.getAttribute('href') === '#') event.preventDefault();
  });
}

async function bringToLife(source) {
  const name = source.getAttribute('data-figure');
  const plot = document.getElementById(`plot-${name}`);
  const still = plot.querySelector('svg');
  const live = document.createElement('div');
  try {
    await embed(live, JSON.parse(source.textContent), {
      mode: 'vega-lite',
      renderer: 'svg',
      ast: true,
      defaultStyle: false,
      forceActionsMenu: false,
      actions: { export: { svg: true, png: true }, source: false, compiled: false, editor: false },
      i18n: { SVG_ACTION: 'Save as SVG', PNG_ACTION: 'Save as PNG' },
      downloadFileName: name,
      scaleFactor: 2,
      tooltip: { disableDefaultStyle: true },
    });
    const svg = live.querySelector('svg');
    svg.setAttribute('role', 'img');
    svg.setAttribute('aria-label', still.getAttribute('aria-label'));
    for (const link of live.querySelectorAll('.vega-actions a')) saveByKeyboard(link);
    still.replaceWith(live);
  } catch (error) {
    console.error(`figure ${name}:`, error);
  }
}
