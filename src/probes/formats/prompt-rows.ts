import { z } from 'zod';
import { readRows } from '../files/read-rows.js';
import { languageOfCode } from '../languages/language-code.js';
import { promptRowSchema, textRowSchema, toPrompt } from '../own/read-item.js';
import { attempt } from '../problems.js';
import { filesWithFields, type ProbeFormat, parseRow } from './format.js';

const row = z.union([promptRowSchema, textRowSchema]);

/** The rows of a probe set's items.jsonl without its probe.json. */
export const promptRows: ProbeFormat = {
  name: 'prompt-rows',
  own: true,
  title: "rows as in a probe set's items.jsonl, all languages together, without probe.json",
  files: 'JSONL or JSON, {"id", "text": {language: …}} or {"id", "prompts": {language: {"text", …}}}',
  licence: 'not stated',
  source: 'prompt rows',
  extensions: new Set(['json', 'jsonl', 'ndjson']),
  async recognise(files, sample) {
    const texts = await filesWithFields(files, sample, ['id', 'text']);
    const prompts = await filesWithFields(files, sample, ['id', 'prompts']);
    const byLanguage: typeof texts = [];
    for (const file of [...texts, ...prompts]) {
      if (row.safeParse((await sample(file))?.value).success) byLanguage.push(file);
    }
    return byLanguage;
  },
  async *read(files, report) {
    for (const file of files) {
      for (const source of await readRows(file, report)) {
        const expected = '{"id", "text": {language: …}} or {"id", "prompts": {language: {"text", …}}}';
        const item = parseRow(source, row, expected, report);
        if (item === undefined) continue;
        const { id, meta, clusters, prompts } = item;
        for (const [code, prompt] of Object.entries(prompts)) {
          const language = attempt(() => languageOfCode(code, source.where), report);
          if (language === undefined) continue;
          const about = { ...(meta && { meta }), ...(clusters && { clusters }) };
          yield { id, language, where: source.where, prompt: toPrompt(prompt), ...about };
        }
      }
    }
  },
};
