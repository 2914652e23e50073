import type { ComparedRun, Comparison, UnitDescription } from '../../compare/index.js';
import { count, escapeHtml, number, percent } from '../words/text.js';

/** Length of a digest shown in a table; the whole of it is in its title and below. */
const SHORT_DIGEST = 12;

/** The origin of every number of the report: models, probe set, plan, policy, versions. HTML. */
export function provenance({ runs, probe, units, ...comparison }: Comparison): string {
  const ofRuns = (cellOf: (run: ComparedRun) => string) => runs.map(cellOf);
  const models: [string, string[]][] = [
    ['model', ofRuns(({ model }) => text(model.name))],
    ['revision', ofRuns(({ model }) => text(model.ref ?? '–'))],
    ['commit', ofRuns(({ model }) => text(model.revision ?? '–'))],
    ['architecture', ofRuns(({ model }) => text(`${model.architecture} (${model.modelType})`))],
    ['parameters', ofRuns(({ model }) => text(model.parameters === null ? '–' : count(model.parameters)))],
    ['stored as', ofRuns(({ model }) => text(model.dtype ?? '–'))],
    ['config.json', ofRuns(({ model }) => digest(model.configSha256))],
    ['weights', ofRuns(({ model }) => digest(model.weightsSha256))],
    ['adapter', ofRuns(({ model }) => text(model.adapter?.name ?? '–'))],
    ['tokenizer', ofRuns(({ model }) => digest(model.tokenizerSha256))],
    ['capture plan', ofRuns(({ planSha256 }) => digest(planSha256))],
  ];
  const { items, completeItems, folds, splits, seed } = comparison;
  const inEvery = `${count(items)}, ${count(completeItems)} of them in every language`;
  const policyInWords = ({ entropyCut, bar, fraction }: UnitDescription['policy']) => {
    const share = `${percent(fraction)} of the units of ${runs[0]?.label ?? ''}`;
    return entropyCut === null
      ? `reference: no entropy cut, for ${share} rounds to none`
      : `reference: entropy cut ${number(entropyCut)} nats, bar ${number(bar)}, made from ${share}, then fixed`;
  };
  const facts: [string, string][] = [
    ['probe set', text(`${probe.name} ${probe.version} (${probe.kind})`)],
    ['licence', text(probe.licence)],
    ['source', text(probe.source)],
    ['probe set files', digest(probe.sha256)],
    ['items', text(items === 0 ? 'not recorded' : inEvery)],
    ['positions counted', text(comparison.positions)],
    ['folds, splits, seed', text(`${folds}, ${splits}, ${seed}`)],
    ...units.map(({ type, policy }): [string, string] => [
      `selection policy, ${type}s`,
      text(policyInWords(policy)),
    ]),
    ['babelscope', text(comparison.babelscope)],
    ['comparison schema', text(String(comparison.schemaVersion))],
  ];
  const digests: [string, string | null][] = [
    ['probe set', probe.sha256],
    ...runs.flatMap(({ label, model, planSha256 }): [string, string | null][] => [
      [`${label}: config.json`, model.configSha256],
      [`${label}: weights`, model.weightsSha256],
      [`${label}: tokenizer`, model.tokenizerSha256],
      ...(model.adapter ? [[`${label}: adapter`, model.adapter.weightsSha256] as [string, string]] : []),
      [`${label}: capture plan`, planSha256],
    ]),
  ];
  return `<section id="provenance" aria-labelledby="title-provenance"><h2 id="title-provenance">Provenance</h2>
<div class="table" tabindex="0" role="group" aria-labelledby="title-provenance"><table>
<caption>The models, as they lay on disk.</caption>
<thead><tr><th scope="col">run</th>${runs.map(({ label }) => `<th scope="col">${text(label)}</th>`).join('')}</tr></thead>
<tbody>
${models.map(([name, cells]) => `<tr><th scope="row">${name}</th>${cells.map((cell) => `<td>${cell}</td>`).join('')}</tr>`).join('\n')}
</tbody></table></div>
<div class="table" tabindex="0" role="group" aria-labelledby="title-provenance"><table>
<caption>The measurement, the same for every run.</caption>
<tbody>
${facts.map(([name, cell]) => `<tr><th scope="row">${escapeHtml(name)}</th><td class="long">${cell}</td></tr>`).join('\n')}
</tbody></table></div>
<details><summary>Full SHA-256 digests</summary>
<div class="table" tabindex="0" role="group" aria-labelledby="title-provenance"><table><tbody>
${digests.map(([name, hash]) => `<tr><th scope="row">${text(name)}</th><td><code>${escapeHtml(hash ?? '–')}</code></td></tr>`).join('\n')}
</tbody></table></div></details>
</section>`;
}

function text(value: string): string {
  return `<bdi>${escapeHtml(value)}</bdi>`;
}

function digest(hash: string | null): string {
  if (hash === null) return '–';
  return `<code title="${escapeHtml(hash)}">${escapeHtml(hash.slice(0, SHORT_DIGEST))}…</code>`;
}
