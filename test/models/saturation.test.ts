import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ForeignGraph } from '../../src/models/exported/foreign-graph.js';
import { readOnnx } from '../../src/models/exported/read-onnx.js';
import { saturationWarnings } from '../../src/models/exported/saturation.js';
import { FIXTURES } from './fixture.js';

/** The quantised fixture, whose weights have seven bits, with one weight as given. */
async function graphWith(weight: number): Promise<ForeignGraph> {
  const path = join(FIXTURES, '..', 'onnx', 'int8-qwen2', 'onnx', 'model_quantized.onnx');
  const graph = new ForeignGraph(await readOnnx(path));
  const { input } = graph.nodes.find(({ opType }) => opType === 'MatMulInteger')!;
  const stored = graph.initializers.get(input[1]!)!;
  stored.rawData = Uint8Array.from(stored.rawData, (byte, i) => (i === 7 ? weight & 255 : byte));
  return graph;
}

test('8-bit weights saturate where products are added without VNNI, weights of seven bits do not', async () => {
  const [old, recent] = ['flags : avx2 avx512f', 'flags : avx2 avx512f avx512_vnni'];
  expect(saturationWarnings(await graphWith(-64), old)).toEqual([]);
  expect(saturationWarnings(await graphWith(-65), old)).toEqual([expect.stringMatching(/no VNNI/)]);
  expect(saturationWarnings(await graphWith(127), old).length).toBe(1);
  expect(saturationWarnings(await graphWith(127), recent)).toEqual([]);
  expect(saturationWarnings(await graphWith(127), null)).toEqual([]);
});
