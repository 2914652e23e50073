import { describe, expect, it } from 'vitest';
import { UsageError } from '../../src/errors.js';
import { BLOCK_HOOKS, type BlockHook, hookPoints } from '../../src/hooks/points.js';
import { reduces, type Statistic, statisticsOf, type Tap, validateTaps } from '../../src/hooks/taps.js';

const mixture = { perToken: 2, dExpert: 5, dShared: 3, layers: [1] };
const sizes = { dModel: 24, heads: 4, headDim: 10, dMlp: 37, experts: 4, mixture };

describe('hookPoints', () => {
  it('lists the hooks each layer passes, an expert layer with the neurons of all its experts', () => {
    const dense = (Object.keys(BLOCK_HOOKS) as BlockHook[]).filter((hook) => hook !== 'mlp.hook_router');
    const parallel: BlockHook[] = ['hook_resid_pre', 'attn.hook_pattern', 'mlp.hook_router', 'mlp.hook_post'];
    const points = hookPoints(sizes, [dense, parallel]);
    expect(points.map(({ name, shape }) => [name, shape])).toEqual([
      ['blocks.0.hook_resid_pre', [24]],
      ['blocks.0.attn.hook_pattern', [4, 'keys']],
      ['blocks.0.attn.hook_z', [4, 10]],
      ['blocks.0.hook_resid_mid', [24]],
      ['blocks.0.mlp.hook_pre', [37]],
      ['blocks.0.mlp.hook_post', [37]],
      ['blocks.0.hook_resid_post', [24]],
      ['blocks.1.hook_resid_pre', [24]],
      ['blocks.1.attn.hook_pattern', [4, 'keys']],
      ['blocks.1.mlp.hook_router', [4]],
      ['blocks.1.mlp.hook_post', [4 * 5 + 3]],
    ]);
  });
});

describe('validateTaps', () => {
  const tap = (hook: string, statistic: string): Tap => ({
    hook: hook as BlockHook,
    statistic: statistic as Statistic,
  });

  it('accepts every statistic a hook has', () => {
    for (const hook of Object.keys(BLOCK_HOOKS) as BlockHook[]) {
      validateTaps(statisticsOf(hook).map((statistic) => ({ hook, statistic })));
    }
  });

  it.each<[what: string, taps: Tap[], message: RegExp]>([
    ['a hook that does not exist', [tap('mlp.hook_mid', 'full')], /unknown hook/],
    [
      'the norm of a head anywhere but at hook_z',
      [tap('mlp.hook_post', 'norm.sum')],
      /no statistic norm\.sum/,
    ],
    ['the norm over a pattern', [tap('attn.hook_pattern', 'sum')], /expected: full/],
    ['a statistic that does not exist', [tap('mlp.hook_post', 'mean')], /no statistic mean/],
    ['the same tap twice', [tap('mlp.hook_pre', 'fire'), tap('mlp.hook_pre', 'fire')], /same tap twice/],
  ])('refuses %s', (_, taps, message) => {
    expect(() => validateTaps(taps)).toThrow(UsageError);
    expect(() => validateTaps(taps)).toThrow(message);
  });

  it('reduces everything but the activation itself', () => {
    expect(
      statisticsOf('attn.hook_z').filter((statistic) => !reduces({ hook: 'attn.hook_z', statistic })),
    ).toEqual(['full']);
  });
});
