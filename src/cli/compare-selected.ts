import { compareSelections, type ExportPolicy, writeSelectionComparison } from '../interchange/index.js';
import { withFolderLock } from '../store/index.js';
import { print, printJson, printTable, say, sayWarnings } from './terminal.js';

/** Imported selections, with each other and with what scored runs select. */
export async function compareSelected(
  folders: readonly string[],
  options: { readonly labels: readonly string[] | undefined; readonly policy: ExportPolicy | undefined },
  out: string,
  json: boolean,
): Promise<void> {
  const comparison = await compareSelections(folders, options);
  await withFolderLock(out, { what: 'compare' }, () => writeSelectionComparison(out, comparison));
  const number = (value: number | null) => (value === null ? '–' : value.toFixed(3));
  const { unit, languages, sets } = comparison;
  if (json) printJson(comparison);
  else {
    for (const { label, source, rule, selected } of sets) {
      const many = selected === null ? `counts of ${unit}s alone` : `${selected} ${unit}s`;
      print(`${label}: ${many}, ${source === rule ? '' : `${source}, `}selected by ${rule}`);
    }
    print('');
    const several = sets.filter(({ byLanguageCount }) => byLanguageCount !== null);
    if (several.length > 0) {
      printTable(
        [`${unit}s selected for`, ...languages.map((_, k) => `${k + 1}`)],
        several.map(({ label, byLanguageCount }) => [label, ...(byLanguageCount ?? [])]),
      );
      print('');
    }
    printTable(
      [
        'selections',
        'language',
        'in the first',
        'in the second',
        'change',
        'in both',
        'Jaccard',
        'by chance',
      ],
      comparison.overlaps.map(({ a, b, language, inA, inB, both, jaccard, chance }) => [
        `${a}, ${b}`,
        language ?? 'any',
        inA ?? '–',
        inB ?? '–',
        inA === null || inB === null ? '–' : inPerCent(inA, inB - inA).join(' (') + (inA === 0 ? '' : ')'),
        both ?? '–',
        number(jaccard),
        number(chance),
      ]),
    );
  }
  sayWarnings(comparison.warnings);
  say(`\nNext: babelscope report ${out} --out <folder>`);
}

/** `-9` and `-12 %`; of a count that was 0 there is no per cent. */
export function inPerCent(from: number, change: number): string[] {
  const signed = (value: number) => (value > 0 ? `+${value}` : `${value}`);
  return [signed(change), ...(from === 0 ? [] : [`${signed(Math.round((100 * change) / from))} %`])];
}
