import { cpSync, mkdirSync, rmSync, truncateSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { create } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { CheckpointError, TokenizerError } from '../../src/errors.js';
import { type NodeProto, NodeProtoSchema } from '../../src/graph/onnx/onnx_pb.js';
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
