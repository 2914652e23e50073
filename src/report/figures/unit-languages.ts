import { runChannels, runLine, runPoints } from '../drawing/run-lines.js';
import { numeric, specification, tooltip } from '../drawing/specification.js';
import { labelsOf, mainUnits, mainWords } from '../words/compared.js';
import { runsInWords, UNIT_WORDS } from '../words/measured-on.js';
import { count, list, percent, plural } from '../words/text.js';
import { defineFigure, ONE_RUN, sentences } from './figure.js';

const SIZE = { width: 640, height: 240 };

/** Selected units by the number of languages that they belong to, a line a run. */
export const unitLanguages = defineFigure({
  name: 'unit-languages',
  short: 'Languages a unit',
  title: (comparison) =>
    `Languages that a selected ${mainWords(comparison).one} belongs to: ${runsInWords(comparison)}`,
  needs: (comparison) => {
    const units = mainUnits(comparison);
    const some = units?.profiles.some(({ selected }) => selected > 0);
    return units !== undefined && some
      ? units
      : `not measured: no ${mainWords(comparison).one} is selected in any run`;
  },
  build: ({ languages }, { type, profiles }) => {
    const words = UNIT_WORDS[type];
    const channels = runChannels(labelsOf(profiles));
    const values = profiles.flatMap(({ label, multiplicity: own }) =>
      own.map((selected, k) => ({ run: label, marker: label, languages: k + 1, selected })),
    );
    const x = numeric('languages', {
      title: `languages that a ${words.one} belongs to`,
      scale: { domain: [1, Math.max(2, languages.length)], nice: false, padding: 8 },
      axis: { values: languages.map((_, k) => k + 1), format: 'd', grid: false },
    });
    const y = numeric('selected', {
      title: `selected ${words.many}`,
      axis: { tickCount: 5, tickMinStep: 1, format: ',d' },
    });
    const shown = tooltip({ run: 'run', languages: 'languages', selected: `selected ${words.many}` });
    const alone = profiles.map(({ label, selected, multiplicity: [own = 0] }) =>
      selected === 0
        ? `${label} none`
        : `${label} ${count(own)} of ${count(selected)} (${percent(own / selected)})`,
    );
    return {
      spec: specification({
        ...SIZE,
        data: { values },
        layer: [runLine(x, y, channels), runPoints(x, y, channels, { size: 40 }, shown)],
      }),
      caption: sentences([
        `Selected ${words.many} that belong to one language alone: ${list(alone)}.`,
        profiles.length === 1 ? ONE_RUN : 'Differences between runs: not measured against a floor.',
      ]),
      alt: `Lines over 1 to ${plural(languages.length, 'language')}, one a run: how many selected ${words.many} belong to that many.`,
    };
  },
});
