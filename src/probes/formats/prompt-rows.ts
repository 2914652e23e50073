import { readRows } from '../files/read-rows.js';
import { itemSchema, toPrompt } from '../own/read-item.js';
import { filesWithFields, languageOf, type ProbeFormat, parseRow, withExtension } from './format.js';

/** The rows of a probe set's items.jsonl without its probe.json. */
export const promptRows: ProbeFormat = {
  name: 'prompt-rows',
  own: true,
  title: "rows as in a probe set's items.jsonl, all languages together, without probe.json",
  files: 'JSONL or JSON, {"id", "text": {language: …}} or {"id", "prompts": {language: {"text", …}}}',
  licence: 'not stated',
  source: 'prompt rows',
  possible: withExtension(new Set(['json', 'jsonl', 'ndjson'])),
  async recognise(files, sample) {
    const texts = await filesWithFields(files, sample, ['id', 'text']);
    const prompts = await filesWithFields(files, sample, ['id', 'prompts']);
    const byLanguage: typeof texts = [];
    for (const file of [...texts, ...prompts]) {
      const value = (await sample(file))?.value;
      if (itemSchema(value).safeParse(value).success) byLanguage.push(file);
    }
    return byLanguage;
  },
  async *read(files, report) {
    for (const file of files) {
      for (const source of await readRows(file, report)) {
        const expected = '{"id", "text": {language: …}} or {"id", "prompts": {language: {"text", …}}}';
        const item = parseRow(source, itemSchema(source.value), expected, report);
        if (item === undefined) continue;
        const { id, meta, clusters, prompts } = item;
        for (const [code, prompt] of Object.entries(prompts)) {
          const language = languageOf(file, source.where, code, report);
          if (language === undefined) continue;
          const about = { ...(meta && { meta }), ...(clusters && { clusters }) };
          yield { id, language, where: source.where, prompt: toPrompt(prompt), ...about };
        }
      }
    }
  },
};
