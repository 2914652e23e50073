import { findingInWords } from '../../compare/index.js';
import { shortLabels } from '../drawing/labels.js';
import { runChannels } from '../drawing/run-lines.js';
import { numeric, specification, tooltip } from '../drawing/specification.js';
import { INK, INK_SOFT } from '../drawing/theme.js';
import { changeOf, mainUnits, mainWords } from '../words/compared.js';
import { runsInWords, UNIT_WORDS } from '../words/measured-on.js';
import { changeInWords, intervalInWords, perCentInWords } from '../words/measures.js';
import { count, list, number, plural } from '../words/text.js';
import { defineFigure, ONE_RUN } from './figure.js';

const WIDTH = 400;
const HEIGHT = 230;
/** The tail panel shows at least this many bins, and from one bin before the first unit. */
const TAIL_BINS = 8;
/** Widest label beside the cut, in em. */
const CUT_LABEL = 20;

/** LAPE of live units, one stepped line a run: the whole range, and the tail the cut selects from. */
export const entropyDistribution = defineFigure({
  name: 'entropy-distribution',
  short: 'Entropy',
  title: (comparison) =>
    `Language entropy (LAPE) of ${mainWords(comparison).many}: ${runsInWords(comparison)}`,
  needs: (comparison) => {
    const units = mainUnits(comparison);
    if (units === undefined) return 'not measured: no units were scored';
    if (comparison.languages.length < 2) return 'not measured: entropy over languages needs two of them';
    const live = units.profiles.map(({ entropyHistogram }) =>
      entropyHistogram.reduce((sum, n) => sum + n, 0),
    );
    if (live.every((n) => n === 0)) return `not measured: no live ${UNIT_WORDS[units.type].one}`;
    return { units, live };
  },
  build: (comparison, { units, live }) => {
    const words = UNIT_WORDS[units.type];
    const { entropyEdges: edges, profiles, policy } = units;
    const labels = profiles.map(({ label }) => label);
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
            x: numeric('lape', {
              title: 'LAPE, nats (left: one language, right: all alike)',
              scale: { domain: [edges[from]!, edges[shown]!], nice: false },
              axis: { grid: false, tickCount: 6 },
            }),
            y: numeric('units', {
              title: `live ${words.many} a bin`,
              axis: { tickCount: 4, tickMinStep: 1, format: ',d' },
            }),
            color,
            strokeDash,
            tooltip: tooltip({
              run: 'run',
              lape: ['LAPE from', '.3f'],
              to: ['to', '.3f'],
              units: words.many,
            }),
          },
        },
        {
          data: { values: cut },
          mark: { type: 'rule', color: INK, strokeDash: [3, 3] },
          encoding: { x: numeric('x') },
        },
        {
          data: { values: cut },
          mark: {
            type: 'text',
            text: cutLabel,
            align: 'right',
            baseline: 'bottom',
            dx: 0,
            dy: -3,
            color: INK,
          },
          encoding: { x: numeric('x'), y: { value: 0 } },
        },
      ],
    });
    const whole = panel(0, bins, `all live ${words.many}`, entropyCut === null ? '' : 'cut');
    const cutLabel = `cut of ${shortLabels(labels, CUT_LABEL)[0]}: ${number(entropyCut)} nats`;
    const tail = panel(tailStart, tailEnd, 'the tail the cut selects from', cutLabel);
    const changes = profiles.slice(1).map(({ label }) => {
      const headline = changeOf(comparison, units.type, 'mean_lape', label);
      if (headline === undefined || headline.test.finding === 'not measured') return `${label}: not measured`;
      return `${label}: ${findingInWords(headline.test)} (${changeInWords(headline)} nats, ${perCentInWords(headline)}, 95\u00a0% interval ${intervalInWords(headline)})`;
    });
    const caption = [
      `Live ${words.many}: ${list(profiles.map(({ label, dead }, r) => `${label} ${count(live[r]!)}${dead === 0 ? '' : ` (${plural(dead, `dead ${words.one}`)} beside them without entropy)`}`))}.`,
      `Low entropy means few languages; the most is ln ${comparison.languages.length} = ${number(Math.log(comparison.languages.length))} nats.`,
      changes.length > 0 ? `Mean entropy against ${labels[0]}: ${changes.join('; ')}.` : ONE_RUN,
    ].join(' ');
    return {
      spec: specification({ hconcat: entropyCut === null ? [whole] : [whole, tail], spacing: 28 }),
      caption,
      alt: `Stepped lines, one a run: how many live ${words.many} have each entropy${entropyCut === null ? '' : ', with the cut; beside it the lower tail enlarged'}.`,
    };
  },
});
