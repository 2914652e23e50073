import { readdirSync } from 'node:fs';
import { expect, it, vi } from 'vitest';
import { openCheckpoint } from '../../../src/checkpoint/open-checkpoint.js';
import { openTokenizer } from '../../../src/checkpoint/open-tokenizer.js';
import { emptyCache } from '../../support/hub-environment.js';
import { filesOf, startHub } from '../../support/hub-server.js';
import { tinyCheckpoint } from '../../support/tiny-checkpoint.js';

emptyCache();

const COMMIT = '1'.repeat(40);
const OF_TOKENIZER = [
  'special_tokens_map.json',
  'added_tokens.json',
  'vocab.json',
  'merges.txt',
  'tokenizer.model',
];

it('every file that may change an id is downloaded with a model, and with a tokenizer alone', async () => {
  const { 'expected.safetensors': _, 'gradients.safetensors': __, ...tiny } = filesOf(tinyCheckpoint());
  const more = Object.fromEntries(OF_TOKENIZER.map((name) => [name, Buffer.from('{}')]));
  const { 'model.safetensors': ___, 'config.json': ____, ...alone } = { ...tiny, ...more };
  const hub = await startHub([
    {
      name: 'org/tiny',
      refs: { main: COMMIT },
      commits: { [COMMIT]: { ...tiny, ...more, 'README.md': Buffer.from('#') } },
    },
    { name: 'org/tokenizer', refs: { main: COMMIT }, commits: { [COMMIT]: alone } },
  ]);
  vi.stubEnv('HF_ENDPOINT', hub.endpoint);
  const checkpoint = await openCheckpoint('hf://org/tiny');
  expect(readdirSync(checkpoint.folder).sort()).toEqual(
    ['config.json', 'model.safetensors', 'tokenizer.json', 'tokenizer_config.json', ...OF_TOKENIZER].sort(),
  );
  const tokenizer = await openTokenizer('hf://org/tokenizer', checkpoint.config);
  expect(readdirSync(tokenizer.folder).sort()).toEqual(Object.keys(alone).sort());
  expect([tokenizer.ref, tokenizer.config]).toEqual(['main', checkpoint.config]);
  vi.stubEnv('HF_HUB_OFFLINE', '1');
  expect((await openTokenizer('hf://org/tokenizer', undefined)).folder).toBe(tokenizer.folder);
});
