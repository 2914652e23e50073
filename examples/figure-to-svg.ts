// Takes one figure of a comparison as a vega-lite specification, changes it and draws it.
// Run compare-two-runs.ts first: it writes the comparison.
import { writeFile } from 'node:fs/promises';
import { drawFigure, figure, isPresent, readComparison } from 'babelscope';

const comparison = await readComparison('examples/out/comparison');
const layers = figure(comparison, 'specialized-neurons');
if (!isPresent(layers)) throw new Error(layers.reason);

console.log(layers.caption);
const spec = { ...layers.spec, background: 'ivory' };
await writeFile('examples/out/layers.vl.json', JSON.stringify(spec, null, 2));
await writeFile('examples/out/layers.svg', await drawFigure({ ...layers, spec }));
