import {
  type Change,
  type Comparison,
  type Contrast,
  type Estimate,
  type Level,
  perCentOfLevel,
  type QuantityKey,
  type SamplingFloor,
  type SeedFloor,
  type SeedTest,
} from '../../compare/index.js';
import { UNIT_WORDS } from '../words/measured-on.js';
import { MEASURE_WORDS, measureName } from '../words/measures.js';
import { type Columns, type ReportTable, reportTable } from './report-table.js';

const DASH = 'A dash: cannot be computed.';

const KEY: Columns<QuantityKey> = [
  ['measure', measureName],
  ['languages', ({ group }) => group ?? 'all'],
];
const LAYER = ['layer', ({ layer }: QuantityKey) => layer ?? 'mean over layers'] as const;
const UNIT = ['unit', ({ measure }: QuantityKey) => MEASURE_WORDS[measure].unit] as const;

const RUNS: Columns<Pick<Change, 'from' | 'to'>> = [
  ['from', ({ from }) => from],
  ['to', ({ to }) => to],
];
const VALUES: Columns<Change> = [
  ['value from', ({ valueFrom }) => valueFrom],
  ['value to', ({ valueTo }) => valueTo],
  ['change', ({ change }) => change.value],
  ['per cent', perCentOfLevel],
];

/** The ends of an interval. */
function ends<Row>(estimateOf: (row: Row) => Estimate): Columns<Row> {
  return [
    ['low', (row) => estimateOf(row).low],
    ['high', (row) => estimateOf(row).high],
  ];
}

type Judged = SamplingFloor & { readonly seeds: SeedFloor };

/** A floor; `parts` are the numbers of its distributions. */
function floor(
  of: (row: Judged) => SamplingFloor | SeedFloor,
  suffix: string,
  parts: readonly string[],
): Columns<Judged> {
  const nothing = [null, null, null];
  return [
    [{ name: `within from${suffix}`, parts }, (row) => of(row).withinFrom ?? nothing],
    [{ name: `within to${suffix}`, parts }, (row) => of(row).withinTo ?? nothing],
    [{ name: `across${suffix}`, parts }, (row) => of(row).across ?? nothing],
    [`share outside${suffix}`, (row) => of(row).shareOutside],
  ];
}

const FLOORS: Columns<Judged> = [
  ...floor((row) => row, '', ['5 %', '50 %', '95 %']),
  ...floor(({ seeds }) => seeds, ', seeds', ['least', 'median', 'most']),
  ['note', ({ note }) => note],
];

/** The tests of a number, with other items and with another training; an adjusted p is that of its family. */
const TEST: Columns<Change | Contrast> = [
  ['test', ({ test }) => test.by],
  ['p', ({ test }) => test.p],
  ['adjusted p', ({ test }) => test.adjusted],
  ['finding', ({ test }) => test.finding],
  ['margin', ({ test }) => test.margin],
  ['least margin', ({ test }) => test.leastMargin],
  ['detectable', ({ test }) => test.detectable],
  ['test note', ({ test }) => test.note],
  ...seedColumns(({ seeds }) => seeds.test),
];

function seedColumns(of: (row: Change | Contrast) => SeedTest): Columns<Change | Contrast> {
  return [
    [{ name: 'seeds', parts: ['from', 'to'] }, (row) => of(row).seeds],
    ['p, seeds', (row) => of(row).p],
    ['adjusted p, seeds', (row) => of(row).adjusted],
    ['finding, seeds', (row) => of(row).finding],
    ['difference, seeds', (row) => of(row).training.value],
    ['low, seeds', (row) => of(row).training.low],
    ['high, seeds', (row) => of(row).training.high],
    ['low, seeds and items', (row) => of(row).both.low],
    ['high, seeds and items', (row) => of(row).both.high],
    ['test note, seeds', (row) => of(row).note],
  ];
}

/** Every table that has rows, in the order of the page. */
export function buildTables(comparison: Comparison): ReportTable[] {
  return [
    changes(comparison, 'headlines', 'Headline numbers', isOfUnits),
    parts(comparison),
    contrasts(comparison, 'contrast-numbers', 'Differences in differences in numbers', isOfUnits),
    levels(comparison),
    changes(comparison, 'alignment-changes', 'Changes of alignment by layer', isOfAlignment),
    contrasts(
      comparison,
      'alignment-contrasts',
      'Differences in differences of alignment by layer',
      isOfAlignment,
    ),
    trends(comparison, 'alignment-trends', 'Trends of alignment over training', isOfAlignment),
    trends(comparison, 'trends', 'Trends over training', isOfUnits),
    multiplicity(comparison),
    tokens(comparison),
    reliability(comparison),
  ].filter(({ rows }) => rows.length > 0);
}

/** Quantities of units over all layers and no single language. */
const isOfUnits = ({ type, layer, language }: QuantityKey) =>
  type !== null && layer === null && language === null;
const isOfAlignment = ({ type }: QuantityKey) => type === null;

type Name = ReportTable['name'];
type Filter = typeof isOfUnits;

/** Alignment is given layer by layer. */
function keyColumns(of: Filter): Columns<QuantityKey> {
  return of === isOfAlignment ? [...KEY, LAYER] : KEY;
}

/** Every change with its interval, test and floors. */
function changes(comparison: Comparison, name: Name, title: string, of: Filter): ReportTable {
  const key = keyColumns(of);
  const note = `Floors and across: 5 %, 50 % and 95 % of the measure between random halves of the folds, ${comparison.splits} splits, at half size${of === isOfAlignment ? ', which halves the candidates of retrieval too' : ''}; differences are absolute. ${DASH}`;
  return reportTable({ name, title, note, headers: key.length + 2 }, comparison.changes.filter(of), [
    ...key,
    ...RUNS,
    UNIT,
    ...VALUES,
    ...ends(({ change }: Change) => change),
    ...TEST,
    ...FLOORS,
  ]);
}

/** Changes of single languages and single layers, in units and per cent. */
function parts(comparison: Comparison): ReportTable {
  const rows = comparison.changes.filter(
    ({ type, layer, language }) => type !== null && (layer !== null || language !== null),
  );
  const note = `Over all languages; a unit that belongs to several languages counts in each. Per cent of the value in the first run. ${DASH}`;
  return reportTable<Change>(
    { name: 'parts', title: 'Changes by language and by layer', note, headers: 5 },
    rows,
    [
      ['measure', measureName],
      ['language', ({ language }) => language ?? 'all'],
      ['layer', ({ layer }) => layer ?? 'all'],
      ...RUNS,
      ...VALUES,
      ...ends(({ change }: Change) => change),
      ['adjusted p', ({ test }) => test.adjusted],
      ['finding', ({ test }) => test.finding],
    ],
  );
}

/** Every difference in differences with its interval, tests and floors. */
function contrasts(comparison: Comparison, name: Name, title: string, of: Filter): ReportTable {
  const key = keyColumns(of);
  const note = `(to − reference) − (from − reference), each regime the mean over its training seeds. Sampling: 5 %, 50 % and 95 % between random halves, ${comparison.splits} splits; training seeds: least, median and most over pairs. ${DASH}`;
  return reportTable({ name, title, note, headers: key.length + 2 }, comparison.contrasts.filter(of), [
    ...key,
    ...RUNS,
    UNIT,
    ['difference', ({ difference }) => difference.value],
    ...ends(({ difference }: Contrast) => difference),
    ...TEST,
    ...FLOORS,
  ]);
}

/** Alignment of languages by layer, of each run. */
function levels(comparison: Comparison): ReportTable {
  const note = `Means over pairs of languages, with 95 % jackknife intervals. ${DASH}`;
  return reportTable(
    { name: 'alignment-levels', title: 'Alignment of languages by layer', note, headers: 4 },
    comparison.levels.filter(isOfAlignment),
    [
      ...keyColumns(isOfAlignment),
      ['run', ({ label }) => label],
      UNIT,
      ['value', ({ value }) => value.value],
      ...ends(({ value }: Level) => value),
    ],
  );
}

/** Monotone trends over a trajectory. */
function trends(comparison: Comparison, name: Name, title: string, of: Filter): ReportTable {
  const key = keyColumns(of);
  const note = `Mann–Kendall: S, Kendall’s τ, two-sided p. ${DASH}`;
  return reportTable({ name, title, note, headers: key.length }, comparison.trends.filter(of), [
    ...key,
    ['values', ({ points }) => points.length],
    ['S', ({ s }) => s],
    ['τ', ({ tau }) => tau],
    ['p', ({ p }) => p],
    ['adjusted p', ({ adjusted }) => adjusted],
    ['finding', ({ finding }) => finding],
    ['note', ({ note: why }) => why],
  ]);
}

/** How many languages the selected units of each run belong to. */
function multiplicity({ units, languages }: Comparison): ReportTable {
  const rows = units.flatMap(({ type, policy, profiles }) =>
    policy.entropyCut === null ? [] : profiles.map((profile) => ({ type, ...profile })),
  );
  return reportTable(
    {
      name: 'multiplicity',
      title: 'Languages that a selected unit belongs to',
      note: 'Selected units under the reference’s cut that belong to 1, 2, … languages.',
      headers: 2,
    },
    rows,
    [
      ['units', ({ type }) => UNIT_WORDS[type].many],
      ['run', ({ label }) => label],
      ...languages.map((_, k) => [`${k + 1}`, (row: (typeof rows)[number]) => row.multiplicity[k]!] as const),
    ],
  );
}

/** T_k beside everything: languages differ in tokens a sentence. */
function tokens({ languages, runs, units }: Comparison): ReportTable {
  const counted = units.some(({ rate }) => rate === 'importance') ? 'matrices' : 'tokens';
  const counts = runs.map((run) =>
    languages.map(({ tag }) => {
      const own = run.languages.find((language) => language.tag === tag);
      return [own?.prompts ?? null, own?.tokens ?? null] as const;
    }),
  );
  const alike = counts.every((of) => of.join() === counts[0]!.join());
  const shown = alike ? counts.slice(0, 1) : counts;
  return reportTable(
    {
      name: 'tokens',
      title: counted === 'tokens' ? 'Tokens per language' : 'Matrices per language',
      note: `${counted === 'tokens' ? 'Prompts and counted tokens' : 'Imported matrices'}${alike && runs.length > 1 ? ', the same in every run' : ''}.`,
      headers: 2,
    },
    [...languages.keys()],
    [
      ...(['tag', 'language', 'script', 'family'] as const).map(
        (name) => [name, (k: number) => languages[k]![name === 'language' ? 'name' : name]] as const,
      ),
      ...shown.flatMap((own, r) => {
        const of = alike ? '' : `${runs[r]!.label}: `;
        return [
          [`${of}prompts`, (k: number) => own[k]![0]] as const,
          [`${of}${counted}`, (k: number) => own[k]![1]] as const,
        ];
      }),
    ],
  );
}

function reliability(comparison: Comparison): ReportTable {
  const note =
    'Spearman correlation of the score between two random halves of the folds, and its Spearman–Brown step-up to full size. A dash: cannot be computed, or the run was not scored.';
  return reportTable(
    { name: 'reliability', title: 'Reliability of each score', note, headers: 3 },
    comparison.reliability,
    [
      ['run', ({ label }) => label],
      ['units', ({ type }) => UNIT_WORDS[type].many],
      ['score', ({ score }) => score],
      ['halves', ({ halves }) => halves],
      ['step-up', ({ stepUp }) => stepUp],
    ],
  );
}
