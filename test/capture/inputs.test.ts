import {
  closeSync,
  copyFileSync,
  openSync,
  readFileSync,
  renameSync,
  statSync,
  utimesSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { capture } from '../../src/capture/index.js';
import { CheckpointError, RunError } from '../../src/errors.js';
import { openSubject } from '../../src/models/index.js';
import { ModelRunner } from '../../src/runtime/index.js';
import { layerPath, partPath } from '../../src/store/run/run-folder.js';
import { TINY_PROBES, temporaryFolder, tinyCheckpoint } from '../support/tiny-checkpoint.js';

function request() {
  return {
    checkpoint: tinyCheckpoint(),
    probes: TINY_PROBES,
    threads: 1,
    out: join(temporaryFolder(), 'run'),
  };
}

/** In place and without making it shorter meanwhile. */
function overwrite(path: string, bytes: Buffer): void {
  const file = openSync(path, 'r+');
  writeSync(file, bytes);
  closeSync(file);
}

function edit(path: string, change: object): void {
  writeFileSync(path, JSON.stringify({ ...JSON.parse(readFileSync(path, 'utf8')), ...change }));
}

describe('what decides a token is part of the plan', () => {
  test('an edit between two steps of a capture is refused, with the file that was edited', async () => {
    const options = request();
    const { checkpoint } = options;
    for (const name of ['special_tokens_map.json', 'added_tokens.json', 'vocab.json']) {
      writeFileSync(join(checkpoint, name), '{}');
    }
    await capture({ ...options, shard: { index: 1, count: 2 } });
    for (const [name, change] of [
      ['tokenizer_config.json', { tokenizer_class: 'LlamaTokenizerFast', add_bos_token: false }],
      ['tokenizer_config.json', { bos_token: 'a' }],
      ['special_tokens_map.json', { bos_token: 'a' }],
      ['added_tokens.json', { a: 1 }],
      ['vocab.json', { a: 1 }],
      ['tokenizer.json', {}],
    ] as const) {
      const path = join(checkpoint, name);
      const whole = readFileSync(path);
      edit(path, change);
      const again = capture({ ...options, shard: { index: 2, count: 2 } });
      await expect(again).rejects.toThrow(RunError);
      await expect(again).rejects.toThrow(new RegExp(`different plan: ${name.replaceAll('.', '\\.')}\n`));
      writeFileSync(path, whole);
    }
    edit(join(checkpoint, 'tokenizer_config.json'), { chat_template: '{{ messages }}', model_max_length: 7 });
    expect((await capture(options)).complete).toBe(true);
  });
});

describe('weights that are overwritten while a capture runs', () => {
  test('are refused; finished parts stay, the doubtful one does not, and the old weights go on with them', async () => {
    const whole = request();
    await capture({ ...whole, keepParts: true });
    const options = { ...whole, out: join(temporaryFolder(), 'run') };
    const weights = join(options.checkpoint, 'model.safetensors');
    const bytes = readFileSync(weights);
    const other = Buffer.from(bytes);
    for (let i = bytes.length - 2000; i < bytes.length; i += 2) other[i]! ^= 1;
    const running = capture({
      ...options,
      onProgress: ({ chunk }) => {
        if (chunk >= 1) overwrite(weights, other);
      },
    });
    await expect(running).rejects.toThrow(CheckpointError);
    await expect(running).rejects.toThrow(/changed while it was being captured[\s\S]*put it back/);
    const kept = Array.from({ length: 20 }, (_, chunk) => partPath(options.out, chunk, 20)).filter(
      (path) => statSync(path, { throwIfNoEntry: false }) !== undefined,
    );
    expect(kept.length).toBeGreaterThanOrEqual(1);
    expect(kept.length).toBeLessThan(20);
    await expect(capture(options)).rejects.toThrow(/different plan: weights/);
    writeFileSync(weights, bytes);
    await capture(options);
    for (const layer of [0, 1, 2]) {
      expect(
        readFileSync(layerPath(options.out, layer)).equals(readFileSync(layerPath(whole.out, layer))),
      ).toBe(true);
    }
  });

  test('with the same bytes, or touched, are the same weights', async () => {
    const options = request();
    const weights = join(options.checkpoint, 'model.safetensors');
    copyFileSync(weights, join(options.checkpoint, '../copy'));
    let touched = false;
    await capture({
      ...options,
      onProgress: () => {
        if (touched) return;
        touched = true;
        utimesSync(weights, 1, 1);
        renameSync(join(options.checkpoint, '../copy'), weights);
      },
    });
    expect(touched).toBe(true);
  });

  test('a weight file that was made shorter is an error before its layer is loaded, not the end of the process', async () => {
    const subject = await openSubject(tinyCheckpoint());
    const [file] = subject.weights;
    expect(file!.bytes).toBe(statSync(file!.path).size);
    const longer = { ...subject, weights: [{ ...file!, bytes: file!.bytes + 1 }] };
    const runner = await ModelRunner.start(longer, subject.model, {
      device: 'cpu',
      threads: 1,
      memoryBytes: 2 ** 30,
    });
    const running = runner.activations(
      [{ ids: Int32Array.of(1, 2), counted: Uint8Array.of(1, 1) }],
      [{ hook: 'mlp.hook_post', statistic: 'full' }],
    );
    await expect(running).rejects.toThrow(CheckpointError);
    await expect(running).rejects.toThrow(
      /made shorter[\s\S]*model\.safetensors|model\.safetensors[\s\S]*made shorter/,
    );
    await runner.close();
  });
});
