import type { ScoreDefinition } from '../src/scores/index.js';

const MARKS = ['<!-- scores: made from src/scores/definitions -->\n', '<!-- end of scores -->'] as const;

/** The table of every score, a row for each that `--scores` names or that is given always. */
export function scoreTable(definitions: readonly ScoreDefinition[]): string {
  const rows = definitions.map(({ name, per, asked, title, types, range, how, source }) => [
    `\`${name}\`${per === 'language' ? ', in each language' : ''}`,
    asked === null ? 'always' : `\`${asked}\``,
    title,
    types.join(', '),
    range,
    how,
    source,
  ]);
  const cells = [
    ['column', '`--scores`', 'what it is', 'units', 'range', 'interval', 'source'],
    ['---', '---', '---', '---', '---', '---', '---'],
    ...rows,
  ];
  return cells.map((row) => `| ${row.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |\n`).join('');
}

/** docs/scores.md with its table as it should be. */
export function renderScoresPage(page: string, definitions: readonly ScoreDefinition[]): string {
  const [begin, end] = [page.indexOf(MARKS[0]), page.indexOf(MARKS[1])];
  if (begin < 0 || end < begin) throw new Error(`docs/scores.md lacks its marks ${MARKS.join(' … ')}`);
  return page.slice(0, begin) + MARKS[0] + scoreTable(definitions) + page.slice(end);
}
