import type { Comparison } from '../../compare/index.js';
import { INK, INK_SOFT } from '../drawing/theme.js';
import { changeInWords, intervalInWords } from '../words/measures.js';
import { count, ellipsize, list, number, plural } from '../words/text.js';
import {
  type AbsentFigure,
  type Figure,
  headlineOf,
  mainUnits,
  measuredOn,
  runChannels,
  runsInWords,
  specification,
  UNIT_WORDS,
} from './figure.js';

const WIDTH = 400;
const HEIGHT = 230;
/** The tail panel shows at least this many bins, and from one bin before the first unit. */
const TAIL_BINS = 8;

/** LAPE of live units, one stepped line a run: the whole range, and the tail the cut selects from. */
export function entropyDistribution(comparison: Comparison): Figure | AbsentFigure {
  const units = mainUnits(comparison);
  const words = UNIT_WORDS[units?.type ?? 'neuron'];
  const name = 'entropy-distribution';
  const title = `Language entropy (LAPE) of ${words.many}: ${runsInWords(comparison)}`;
  if (units === undefined) return { name, title, reason: 'not measured: no units were scored' };
  const { entropyEdges: edges, profiles, policy } = units;
  const labels = profiles.map(({ label }) => label);
  const live = profiles.map(({ entropyHistogram }) => entropyHistogram.reduce((sum, n) => sum + n, 0));
  if (live.every((n) => n === 0)) return { name, title, reason: `not measured: no live ${words.one}` };
  const { color, strokeDash } = runChannels(labels);
  const bins = edges.length - 1;
  const entropyCut = policy.entropyCut;
  const firstUnit = Math.min(
    ...profiles.map(({ entropyHistogram }) => entropyHistogram.findIndex((n) => n > 0)),
  );
  const pastCut = entropyCut === null ? bins : edges.findIndex((edge) => edge >= entropyCut) + 2;
  const tailEnd = Math.min(bins, Math.max(TAIL_BINS, pastCut));
  const tailStart = Math.max(0, Math.min(firstUnit - 1, tailEnd - TAIL_BINS));
  const cut = entropyCut === null ? [] : [{ x: entropyCut }];

  const panel = (from: number, shown: number, heading: string, cutLabel: string) => ({
    title: { text: heading, fontSize: 12, fontWeight: 'normal', color: INK_SOFT, offset: 6 },
    width: WIDTH,
    height: HEIGHT,
    layer: [
      {
        data: {
          values: profiles.flatMap(({ label, entropyHistogram }) => [
            ...entropyHistogram.slice(from, shown).map((n, b) => ({
              run: label,
              lape: edges[from + b]!,
              to: edges[from + b + 1]!,
              units: n,
            })),
            { run: label, lape: edges[shown]!, to: edges[shown]!, units: entropyHistogram[shown - 1]! },
          ]),
        },
        mark: { type: 'line', interpolate: 'step-after', strokeWidth: 1.8 },
        encoding: {
          x: {
            field: 'lape',
            type: 'quantitative',
            title: 'LAPE, nats (left: one language, right: all alike)',
            scale: { domain: [edges[from]!, edges[shown]!], nice: false },
            axis: { grid: false, tickCount: 6 },
          },
          y: {
            field: 'units',
            type: 'quantitative',
            title: `live ${words.many} a bin`,
            axis: { tickCount: 4, tickMinStep: 1, format: ',d' },
          },
          color,
          strokeDash,
          tooltip: [
            { field: 'run', title: 'run' },
            { field: 'lape', title: 'LAPE from', format: '.3f' },
            { field: 'to', title: 'to', format: '.3f' },
            { field: 'units', title: words.many },
          ],
        },
      },
      {
        data: { values: cut },
        mark: { type: 'rule', color: INK, strokeDash: [3, 3] },
        encoding: { x: { field: 'x', type: 'quantitative' } },
      },
      {
        data: { values: cut },
        mark: { type: 'text', text: cutLabel, align: 'right', baseline: 'bottom', dx: 0, dy: -3, color: INK },
        encoding: { x: { field: 'x', type: 'quantitative' }, y: { value: 0 } },
      },
    ],
  });
  const spec = specification({
    hconcat: [
      panel(0, bins, `all live ${words.many}`, entropyCut === null ? '' : 'cut'),
      ...(entropyCut === null
        ? []
        : [
            panel(
              tailStart,
              tailEnd,
              'the tail the cut selects from',
              `cut of ${ellipsize(labels[0]!, 16)}: ${number(entropyCut)} nats`,
            ),
          ]),
    ],
    spacing: 28,
  });
  const changes = profiles.slice(1).map(({ label }) => {
    const headline = headlineOf(units, 'meanEntropy', label);
    if (headline === undefined || headline.verdict === 'not measured') return `${label}: not measured`;
    return `${label}: ${headline.verdict} (${changeInWords(headline)} nats, 95\u00a0% interval ${intervalInWords(headline)})`;
  });
  const caption = [
    `Live ${words.many}: ${list(profiles.map(({ label, dead }, r) => `${label} ${count(live[r]!)}${dead === 0 ? '' : ` (${plural(dead, `dead ${words.one}`)} beside them without entropy)`}`))}.`,
    `Low entropy means few languages; the most is ln ${comparison.languages.length} = ${number(Math.log(comparison.languages.length))} nats.`,
    changes.length > 0
      ? `Mean entropy against ${labels[0]}: ${changes.join('; ')}.`
      : 'One run: description only, no change is measured.',
  ].join(' ');
  return { name, title, subtitle: measuredOn(comparison), caption, spec };
}
