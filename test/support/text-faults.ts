/**
 * An expression for the browser to evaluate in an SVG document: texts that leave the drawing, and pairs of texts
 * printed over each other. A string, because the project's types know Node and not the browser.
 */
export const TEXT_FAULTS = `(() => {
  const SLACK = 1; // px: rounding of glyph boxes
  const OVERLAP = 3; // px both ways: glyph boxes are taller than glyphs
  const frame = document.documentElement.getBoundingClientRect();
  const texts = [...document.querySelectorAll('text')]
    .filter((text) => text.textContent !== '')
    .map((text) => ({
      words: text.textContent,
      slanted: /rotate\\((?!-?90\\))/.test(text.getAttribute('transform') ?? ''),
      box: text.getBoundingClientRect(),
    }));
  const faults = [];
  for (const [i, { words, box, slanted }] of texts.entries()) {
    const inside =
      box.left >= frame.left - SLACK &&
      box.top >= frame.top - SLACK &&
      box.right <= frame.right + SLACK &&
      box.bottom <= frame.bottom + SLACK;
    if (!inside) faults.push('cut off: ' + words);
    for (const other of texts.slice(i + 1)) {
      if (slanted || other.slanted) continue;
      const across = Math.min(box.right, other.box.right) - Math.max(box.left, other.box.left);
      const down = Math.min(box.bottom, other.box.bottom) - Math.max(box.top, other.box.top);
      if (across > OVERLAP && down > OVERLAP) faults.push('"' + words + '" over "' + other.words + '"');
    }
  }
  return faults;
})()`;
