import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { capture } from '../../src/capture/capture.js';
import { openCheckpoint } from '../../src/checkpoint/open-checkpoint.js';
import { TokenizerError } from '../../src/errors.js';
import { openRun } from '../../src/store/run/open-run.js';
import { loadTokenizer } from '../../src/tokenizer/load-tokenizer.js';
import { temporaryFolder } from '../support/temporary-folder.js';

/** A Llama of two layers of 32 neurons with random weights and byte-level tokens; four sentences in English and German. */
const CASES = join(import.meta.dirname, '../fixtures/tokenizer/cases');

const SETTINGS = {
  bos_token: '<s>',
  eos_token: '</s>',
  model_max_length: 128,
  clean_up_tokenization_spaces: false,
};

/** A checkpoint with the given prefix space in tokenizer.json, and the given tokenizer_config.json. */
function checkpoint(prefixSpace: boolean, config: object, name = 'model'): string {
  const folder = join(temporaryFolder(), name);
  mkdirSync(folder);
  for (const file of ['config.json', 'model.safetensors']) cpSync(join(CASES, file), join(folder, file));
  writeTokenizer(folder, prefixSpace, config);
  return folder;
}

function writeTokenizer(folder: string, prefixSpace: boolean, config: object): void {
  const tokenizer = JSON.parse(readFileSync(join(CASES, 'tokenizer.json'), 'utf8'));
  tokenizer.pre_tokenizer.add_prefix_space = prefixSpace;
  writeFileSync(join(folder, 'tokenizer.json'), JSON.stringify(tokenizer));
  writeFileSync(join(folder, 'tokenizer_config.json'), JSON.stringify(config));
}

const PLAIN = { tokenizer_class: 'PreTrainedTokenizerFast', ...SETTINGS };

/** Counted tokens, and counts of neurons above 0 in each layer, by transformers 4.57.3. */
const RIGHT = [
  {
    situation: 'tokenizer.json has a prefix space, tokenizer_config.json is silent: there is none',
    prefixSpace: true,
    config: PLAIN,
    en: { tokens: 49, fired: [711, 871], first: [285, 222, 72, 80, 267, 222] },
    de: { tokens: 61, fired: [1013, 1038], first: [279, 222, 289, 72, 70, 222] },
  },
  {
    situation: 'tokenizer.json has none, tokenizer_config.json asks for one: there is one',
    prefixSpace: false,
    config: { ...PLAIN, add_prefix_space: true },
    en: { tokens: 53, fired: [741, 963], first: [222, 285, 222, 72, 80, 267] },
    de: { tokens: 65, fired: [1056, 1155], first: [222, 279, 222, 289, 72, 70] },
  },
  {
    situation: 'tokenizer_config.json names no class: that of the model type puts <s> in front',
    prefixSpace: false,
    config: { ...SETTINGS, unk_token: '<s>' },
    en: { tokens: 53, fired: [776, 938], first: [0, 285, 222, 72, 80, 267] },
    de: { tokens: 65, fired: [1091, 1104], first: [0, 279, 222, 289, 72, 70] },
  },
] as const;

const texts = readFileSync(join(CASES, 'items.jsonl'), 'utf8')
  .trim()
  .split('\n')
  .map((line): { en: string; de: string } => JSON.parse(line).text);

async function firedIn(folder: string): Promise<Record<string, { tokens: number; fired: number[] }>> {
  const run = await openRun(folder);
  const { languages, shape } = run.manifest;
  const found: Record<string, { tokens: number; fired: number[] }> = {};
  for (const [l, { tag, tokens }] of languages.entries()) {
    const fired: number[] = [];
    for (let index = 0; index < shape.layers; index++) {
      const layer = await run.layer(index);
      const counts = await layer.readStatistic('mlp.fire');
      await layer.close();
      // [fold, language, neuron]
      const sum = counts.reduce(
        (total, count, at) => (Math.floor(at / shape.dMlp!) % languages.length === l ? total + count : total),
        0,
      );
      fired.push(sum);
    }
    found[tag] = { tokens, fired };
  }
  return found;
}

describe('a tokenizer is set up as transformers does', () => {
  test.each(RIGHT)('$situation', async ({ prefixSpace, config, en, de }) => {
    const folder = checkpoint(prefixSpace, config);
    const tokenizer = await loadTokenizer(await openCheckpoint(folder));
    for (const [tag, { first }] of Object.entries({ en, de })) {
      const { ids } = await tokenizer.encode(texts[0]![tag as 'en' | 'de']);
      expect([...ids.slice(0, first.length)]).toEqual(first);
    }
    const { manifest, folder: run } = await capture({
      checkpoint: folder,
      probes: join(CASES, 'items.jsonl'),
      out: join(temporaryFolder(), 'run'),
    });
    expect(manifest.model.tokenizerRules).toMatchObject({ transformers: '4.57' });
    const differences = manifest.model.tokenizerRules!.differences!;
    expect(differences.length > 0).toBe(manifest.warnings.some((text) => text.includes('differently')));
    expect(differences).not.toEqual([]);
    const found = await firedIn(run);
    for (const [tag, { tokens, fired }] of Object.entries({ en, de }))
      expect([tag, found[tag]]).toEqual([tag, { tokens, fired: [...fired] }]);
  });

  test('--tokenizer takes that of another folder, and the manifest names it', async () => {
    const [own, other] = [RIGHT[0], RIGHT[1]];
    const out = join(temporaryFolder(), 'run');
    const tokenizer = join(temporaryFolder(), 'of-the-base');
    mkdirSync(tokenizer);
    writeTokenizer(tokenizer, other.prefixSpace, other.config);
    const options = {
      checkpoint: checkpoint(own.prefixSpace, own.config),
      probes: join(CASES, 'items.jsonl'),
    };
    const { manifest } = await capture({ ...options, tokenizer, out });
    expect(manifest.model.tokenizer).toEqual({ name: 'of-the-base', revision: null, ref: null });
    expect((await firedIn(out)).en).toEqual({ tokens: other.en.tokens, fired: [...other.en.fired] });
    await expect(capture({ ...options, out })).rejects.toThrow(/different plan/);
    const empty = join(temporaryFolder(), 'empty');
    mkdirSync(empty);
    await expect(capture({ ...options, tokenizer: empty, out })).rejects.toThrow(
      /no tokenizer\.json[\s\S]*--tokenizer/,
    );
  });

  test('--tokenizer-rules chooses the version: 5.24 takes a byte-level tokenizer.json of Llama as it is', async () => {
    const { prefixSpace, config } = RIGHT[2];
    const { manifest } = await capture({
      checkpoint: checkpoint(prefixSpace, config),
      tokenizerRules: '5.24',
      probes: join(CASES, 'items.jsonl'),
      out: join(temporaryFolder(), 'run'),
    });
    expect(manifest.model.tokenizerRules).toEqual({
      transformers: '5.24',
      class: 'TokenizersBackend',
      differences: ['special tokens around a text'],
      chosen: true,
    });
    expect(manifest.languages.find(({ tag }) => tag === 'en')!.tokens).toBe(49);
  });

  test.each([
    [
      'a class that is not known',
      { tokenizer_class: 'XLNetTokenizer' },
      /XLNetTokenizerFast is not known here/,
    ],
    ['a class in Python alone', { tokenizer_class: 'ByT5Tokenizer' }, /ByT5Tokenizer/],
    ['special tokens that are split', { ...PLAIN, split_special_tokens: true }, /split_special_tokens: true/],
    ['a mended pattern', { ...PLAIN, fix_mistral_regex: true }, /fix_mistral_regex: true/],
  ])('%s: an error that names it, never other ids', async (_, config, message) => {
    const loading = loadTokenizer(await openCheckpoint(checkpoint(false, config)));
    await expect(loading).rejects.toThrow(TokenizerError);
    await expect(loading).rejects.toThrow(message);
  });
});
