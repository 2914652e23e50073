import { cpSync, mkdirSync, renameSync, rmSync, symlinkSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { CheckpointError, TokenizerError } from '../../src/errors.js';
import {
  AttributeProtoSchema,
  type NodeProto,
  NodeProtoSchema,
  StringStringEntryProtoSchema,
  type TensorProto,
  TensorProto_DataLocation,
} from '../../src/graph/onnx/onnx_pb.js';
import { openOnnx } from '../../src/models/exported/open.js';
import { loadTokenizer } from '../../src/tokenizer/load-tokenizer.js';
import { copyOfGraph, fuseActivations, hideAttentionOutputs } from '../support/foreign-graphs.js';
import { temporaryFolder } from '../support/tiny-checkpoint.js';

async function failure(path: string): Promise<string> {
  const error = await openOnnx(path).then(
    () => null,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(CheckpointError);
  return (error as CheckpointError).message;
}

/** Moves a tensor's data into `w.bin`. */
function external(tensor: TensorProto, offset: string, length: string | undefined): void {
  const entries = { location: 'w.bin', offset, ...(length !== undefined && { length }) };
  Object.assign(tensor, {
    rawData: new Uint8Array(),
    dataLocation: TensorProto_DataLocation.EXTERNAL,
    externalData: Object.entries(entries).map(([key, value]) =>
      create(StringStringEntryProtoSchema, { key, value }),
    ),
  });
}

describe('a graph that cannot be used is refused with what is wrong', () => {
  test('a file that was cut off', async () => {
    const path = copyOfGraph('tiny-random-gpt2');
    truncateSync(path, 300_000);
    expect(await failure(path)).toMatch(/no complete ONNX model/);
  });

  test('a pointer of Git LFS, an empty file and something else', async () => {
    const path = join(temporaryFolder(), 'model.onnx');
    writeFileSync(path, 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n');
    expect(await failure(path)).toMatch(/Git LFS/);
    writeFileSync(path, '');
    expect(await failure(path)).toMatch(/no complete ONNX model/);
    writeFileSync(path, 'not a graph at all');
    expect(await failure(path)).toMatch(/no complete ONNX model/);
  });

  test('external data that is missing, cut off, or outside of the folder', async () => {
    const missing = copyOfGraph('torch-gpt2');
    rmSync(`${missing}.data`);
    expect(await failure(missing)).toMatch(/external data of the graph is missing[\s\S]*model\.onnx\.data/);
    const short = copyOfGraph('torch-gpt2');
    truncateSync(`${short}.data`, 20_000);
    expect(await failure(short)).toMatch(/external data ends before tensor/);
    const outside = copyOfGraph('torch-gpt2', ({ graph }) => {
      for (const { externalData } of graph!.initializer)
        for (const entry of externalData) if (entry.key === 'location') entry.value = '../weights.bin';
    });
    expect(await failure(outside)).toMatch(/outside of its folder/);
  });

  test("external data that is a link out of the folder, or no file; a link within the hub's cache is followed", async () => {
    const linked = copyOfGraph('torch-gpt2');
    const elsewhere = join(temporaryFolder(), 'weights-elsewhere');
    renameSync(`${linked}.data`, elsewhere);
    symlinkSync(elsewhere, `${linked}.data`);
    expect(await failure(linked)).toMatch(
      /a link that leaves its folder[\s\S]*weights-elsewhere[\s\S]*copy that file/,
    );
    rmSync(`${linked}.data`);
    mkdirSync(`${linked}.data`);
    expect(await failure(linked)).toMatch(/or no file/);

    const root = join(temporaryFolder(), 'models--org--name');
    const snapshot = join(root, 'snapshots', '0123456789abcdef0123456789abcdef01234567', 'onnx');
    mkdirSync(snapshot, { recursive: true });
    mkdirSync(join(root, 'blobs'));
    for (const file of ['config.json', 'model.onnx', 'model.onnx.data']) {
      const blob = join(root, 'blobs', `${file}-oid`);
      cpSync(join(dirname(copyOfGraph('torch-gpt2')), file), blob);
      symlinkSync(blob, join(snapshot, file));
    }
    expect((await openOnnx(join(snapshot, 'model.onnx'))).model.shape.layers).toBeGreaterThan(0);
  });

  test.each<[string, (tensor: TensorProto) => void, RegExp]>([
    [
      '2^62 elements without data',
      (t) => Object.assign(t, { dims: [2n ** 31n, 2n ** 31n], rawData: new Uint8Array() }),
      /with 0 values|no tensor can have/,
    ],
    [
      '2^30 elements with its data',
      (t) => Object.assign(t, { dims: [2n ** 15n, 2n ** 15n] }),
      /\[32768, 32768\] with \d+ bytes/,
    ],
    ['a negative size', (t) => Object.assign(t, { dims: [-1n, -4n] }), /no tensor can have/],
    [
      'external data before the file',
      (t) => external(t, '-8', undefined),
      /external data ends before|outside/,
    ],
    ['external data of a length that is no number', (t) => external(t, '0', 'many'), /with NaN bytes/],
    ['external data of another length', (t) => external(t, '0', '4'), /with 4 bytes/],
  ])('a tensor of %s', async (_, change, message) => {
    const path = copyOfGraph('tiny-random-gpt2', ({ graph }) => {
      change(graph!.initializer.find(({ rawData }) => rawData.length > 2000)!);
    });
    writeFileSync(join(dirname(path), 'w.bin'), new Uint8Array(2 ** 20));
    expect(await failure(path)).toMatch(message);
    const inNode = copyOfGraph('tiny-random-gpt2', ({ graph }) => {
      const value = structuredClone(graph!.initializer.find(({ rawData }) => rawData.length > 2000)!);
      change(value);
      const attribute = create(AttributeProtoSchema, { name: 'value', t: value });
      graph!.node.push(
        create(NodeProtoSchema, { opType: 'Constant', output: ['c'], attribute: [attribute] }),
      );
    });
    writeFileSync(join(dirname(inNode), 'w.bin'), new Uint8Array(2 ** 20));
    expect(await failure(inNode)).toMatch(message);
  });

  test('a protocol buffer of millions of fields, or nested without end, before it is decoded', async () => {
    const path = join(temporaryFolder(), 'model.onnx');
    const message = (field: number, inside: Uint8Array): Uint8Array => {
      const length = inside.byteLength;
      const size: number[] = [];
      for (let left = length; ; left >>>= 7) {
        size.push((left & 0x7f) | (left > 0x7f ? 0x80 : 0));
        if (left <= 0x7f) break;
      }
      return Buffer.concat([Uint8Array.from([(field << 3) | 2, ...size]), inside]);
    };
    // A graph of ten million nodes that hold nothing.
    writeFileSync(
      path,
      message(
        7,
        new Uint8Array(20_000_000).map((_, i) => (i % 2 === 0 ? 0x0a : 0)),
      ),
    );
    const before = process.memoryUsage().rss;
    expect(await failure(path)).toMatch(/more than 5000000 fields/);
    expect(process.memoryUsage().rss - before).toBeLessThan(200e6);
    // A node whose attribute is a graph whose node has an attribute …
    let nested: Uint8Array = new Uint8Array(0);
    for (let depth = 0; depth < 2_000; depth++) nested = message(1, message(5, message(6, nested)));
    writeFileSync(path, message(7, nested));
    expect(await failure(path)).toMatch(/more than 64 deep/);
  });

  test('a cycle, and a tensor that nothing makes', async () => {
    const cycle = copyOfGraph('tiny-random-gpt2', ({ graph }) => {
      const [first, last] = [graph!.node[0]!, graph!.node.at(-1)!];
      graph!.node.unshift(
        create(NodeProtoSchema, { opType: 'Identity', input: [last.output[0]!], output: ['back'] }),
      );
      first.input.push('back');
    });
    expect(await failure(cycle)).toMatch(/the graph has a cycle/);
    const dangling = copyOfGraph('tiny-random-gpt2', ({ graph }) => {
      graph!.node.at(-1)!.input[0] = 'nowhere';
    });
    expect(await failure(dangling)).toMatch(/nothing makes the tensor nowhere/);
  });

  test('MLPs that fusion hid in some layers: what is there', async () => {
    const path = copyOfGraph('tiny-random-gpt2', ({ graph }) => {
      const gelus = graph!.node.filter(({ opType }) => opType === 'FastGelu');
      for (const node of gelus.slice(1)) node.opType = 'QMoE';
    });
    const message = await failure(path);
    expect(message).toMatch(/no stack of layers/);
    expect(message).toMatch(/inputs of attention outputs: 5 \(GptAttention_0_output/);
    expect(message).toMatch(/of MLP outputs: 1 \(.*\); operators:.*com\.microsoft\.QMoE × 4/);
  });

  test('attentions that fusion hid: what is there', async () => {
    const path = copyOfGraph('tiny-random-gpt2', ({ graph }) => {
      for (const node of graph!.node) if (node.opType === 'Attention') node.opType = 'Bespoke';
    });
    const message = await failure(path);
    expect(message).toMatch(/inputs of attention outputs: none; of MLP outputs/);
    expect(message).toMatch(/com\.microsoft\.Bespoke × 5/);
  });

  test('MLPs that fusion hid in all layers: the hooks of attention are there', async () => {
    const { model } = await openOnnx(
      copyOfGraph('tiny-random-gpt2', ({ graph }) => {
        for (const node of graph!.node) if (node.opType === 'FastGelu') node.opType = 'QMoE';
      }),
    );
    expect(model.shape).toMatchObject({ layers: 5, heads: 4, dMlp: 0 });
    expect(new Set(model.hooks.map(({ hook }) => hook))).toEqual(new Set(['attn.hook_z']));
    const layers = [0, 1, 2, 3, 4];
    const why = expect.stringMatching(
      /no projection that ends an MLP was found among.*com\.microsoft\.QMoE × 5/,
    );
    for (const hook of ['mlp.hook_pre', 'mlp.hook_post', 'hook_resid_post'])
      expect(model.hidden).toContainEqual({ hook, layers, statistics: 'all', why });
    expect(() => model.graph([{ hook: 'mlp.hook_post', statistic: 'sum' }], false)).toThrow(
      /no blocks\.0\.mlp\.hook_post: no projection[\s\S]*in layer 0: attn\.hook_z/,
    );
    expect(() => model.graph([{ hook: 'attn.hook_z', statistic: 'norm.sum' }], true)).not.toThrow();
  });

  test('an activation function fused into its projection: the hooks that are there', async () => {
    const { model } = await openOnnx(copyOfGraph('tiny-random-gpt2', fuseActivations));
    expect(new Set(model.hooks.map(({ hook }) => hook))).not.toContain('mlp.hook_pre');
    expect(() => model.graph([{ hook: 'mlp.hook_pre', statistic: 'fire' }], false)).toThrow(
      /no blocks\.0\.mlp\.hook_pre: the activation function is fused[\s\S]*attn\.hook_z, hook_resid_mid, mlp\.hook_post/,
    );
  });

  test('attention fused into one operator: no pattern, with what it is fused into', async () => {
    const { model } = await openOnnx(copyOfGraph('tiny-random-gpt2'));
    expect(() => model.graph([{ hook: 'attn.hook_pattern', statistic: 'first.sum' }], false)).toThrow(
      /no blocks\.0\.attn\.hook_pattern: attention is fused into one Attention[\s\S]*in layer 0: hook_resid_pre, attn\.hook_z/,
    );
  });

  test('a softmax over another axis than keys, or none, or not by head, is no pattern', async () => {
    const overQueries = (node: NodeProto) => {
      for (const each of node.attribute) if (each.name === 'axis') each.i = 2n;
    };
    const sigmoid = (node: NodeProto) => {
      node.opType = 'Sigmoid';
    };
    // Heads moved otherwise: the tensor is not known to be [batch, heads, query, key].
    const notByHead = (node: NodeProto) => {
      for (const each of node.attribute) if (each.name === 'perm') each.ints = [0n, 1n, 2n, 3n];
    };
    for (const [opType, change] of [
      ['Softmax', overQueries],
      ['Softmax', sigmoid],
      ['Transpose', notByHead],
    ] as const) {
      const path = copyOfGraph('torch-gpt2', ({ graph }) => {
        for (const node of graph!.node) if (node.opType === opType) change(node);
      });
      const { model } = await openOnnx(path);
      expect(model.hidden).toEqual([
        expect.objectContaining({
          hook: 'attn.hook_pattern',
          layers: [0, 1],
          why: 'no softmax over keys was found before the values',
        }),
      ]);
    }
  });

  test('a weight behind the heads that cannot be unpacked hides norms, not values', async () => {
    const { model } = await openOnnx(copyOfGraph('tiny-random-gpt2', hideAttentionOutputs));
    expect(model.hidden.map(({ hook, statistics }) => `${hook}/${statistics}`)).toEqual([
      'attn.hook_pattern/all',
      'attn.hook_z/norms',
    ]);
    expect(() => model.graph([{ hook: 'attn.hook_z', statistic: 'sum' }], false)).not.toThrow();
    expect(() => model.graph([{ hook: 'attn.hook_z', statistic: 'norm.sum' }], false)).toThrow(
      /no norms at blocks\.0\.attn\.hook_z: the weight behind the heads/,
    );
  });

  test('inputs of a meaning that is not known', async () => {
    const path = copyOfGraph('tiny-random-gpt2', ({ graph }) => {
      graph!.input.find(({ name }) => name === 'attention_mask')!.name = 'encoder_attention_mask';
      for (const node of graph!.node)
        node.input = node.input.map((name) => (name === 'attention_mask' ? 'encoder_attention_mask' : name));
    });
    const { model } = await openOnnx(path);
    expect(() => model.graph([{ hook: 'mlp.hook_post', statistic: 'sum' }], false)).toThrow(
      /not known what to feed the input encoder_attention_mask/,
    );
  });
});

test('a graph without a tokenizer beside it says so; one in the folder above is found', async () => {
  const path = copyOfGraph('tiny-random-gpt2');
  const { tokenizer } = await openOnnx(path);
  await expect(loadTokenizer(tokenizer)).rejects.toBeInstanceOf(TokenizerError);
  const inner = join(dirname(path), 'onnx', 'model.onnx');
  mkdirSync(dirname(inner));
  cpSync(path, inner);
  writeFileSync(join(dirname(path), 'tokenizer.json'), '{}');
  expect((await openOnnx(inner)).tokenizer.tokenizerJson).toBe(join(dirname(path), 'tokenizer.json'));
});
