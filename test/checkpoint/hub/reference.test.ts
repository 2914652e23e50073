import { homedir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { hubSettings, parseHubReference } from '../../../src/checkpoint/hub/reference.js';
import { modelLabel } from '../../../src/checkpoint/identify-checkpoint.js';
import type { ModelIdentity } from '../../../src/checkpoint/types.js';
import { UsageError } from '../../../src/errors.js';
import { temporaryFolder } from '../../support/tiny-checkpoint.js';

describe('hf://org/name@revision', () => {
  it.each([
    ['hf://Qwen/Qwen2.5-0.5B', 'Qwen/Qwen2.5-0.5B', 'main'],
    ['hf://EleutherAI/pythia-70m@step1000', 'EleutherAI/pythia-70m', 'step1000'],
    [
      'hf://allenai/OLMo-2-0425-1B@stage1-step10000-tokens21B',
      'allenai/OLMo-2-0425-1B',
      'stage1-step10000-tokens21B',
    ],
    ['hf://org/name@refs/pr/1', 'org/name', 'refs/pr/1'],
    ['hf://org/name@refs%2Fpr%2F1', 'org/name', 'refs/pr/1'],
    [`hf://gpt2@${'0f'.repeat(20)}`, 'gpt2', '0f'.repeat(20)],
  ])('%s is %s at %s', (source, name, revision) => {
    expect(parseHubReference(source)).toEqual({ name, revision });
  });

  it.each([
    'hf://',
    'hf://org/',
    'hf://org/name/config.json',
    'hf://datasets/org/name',
    'hf://org/name@',
    'hf://org/../name',
    'hf://org/name@../../etc',
    'hf://org/name@a//b',
    'hf://org--other/name',
    'hf://org/na me',
  ])('%s is refused', (source) => {
    expect(() => parseHubReference(source)).toThrow(UsageError);
  });

  it.each([
    ['hf://org/name@{step1000,step2000}', 'hf://org/name@step1000'],
    ['hf://org/name@step1000,step2000', 'hf://org/name@step1000'],
    ['hf://org/name@step*', 'hf://org/name@step'],
  ])('%s names several revisions: one at a time', (source, first) => {
    expect(() => parseHubReference(source)).toThrow(`run the command once for each: ${first}`);
  });

  it.each(['org/name', './hf://x', '/models/hf', 'C:\\models'])('%s is a path', (source) => {
    expect(parseHubReference(source)).toBeNull();
  });
});

describe("the environment means what it means to Python's huggingface_hub", () => {
  it.each([
    [{}, join(homedir(), '.cache/huggingface/hub')],
    [{ XDG_CACHE_HOME: '/xdg' }, '/xdg/huggingface/hub'],
    [{ XDG_CACHE_HOME: '/xdg', HF_HOME: '/hf' }, '/hf/hub'],
    [{ HF_HOME: '~/hf' }, join(homedir(), 'hf/hub')],
    [{ HF_HOME: '/hf', HUGGINGFACE_HUB_CACHE: '/old' }, '/old'],
    [{ HF_HOME: '/hf', HUGGINGFACE_HUB_CACHE: '/old', HF_HUB_CACHE: '/cache' }, '/cache'],
  ])('%o keeps models in %s', async (environment, cache) => {
    expect((await hubSettings({ HF_TOKEN_PATH: '/nowhere', ...environment })).cache).toBe(cache);
  });

  it.each([
    ['1', true],
    ['true', true],
    ['Yes', true],
    ['on', true],
    ['0', false],
    ['', false],
    [undefined, false],
  ])('HF_HUB_OFFLINE=%s is %s', async (value, offline) => {
    const environment = { HF_HOME: temporaryFolder(), HF_HUB_OFFLINE: value };
    expect((await hubSettings(environment)).offline).toBe(offline);
  });

  it('HF_ENDPOINT is the hub, a slash at its end dropped', async () => {
    const endpoint = async (HF_ENDPOINT?: string) =>
      (await hubSettings({ HF_HOME: temporaryFolder(), HF_ENDPOINT })).endpoint;
    expect(await endpoint()).toBe('https://huggingface.co');
    expect(await endpoint('https://mirror.example/')).toBe('https://mirror.example');
  });
});

describe('a model is called', () => {
  const label = (more: Partial<ModelIdentity>) =>
    modelLabel({ name: 'org/name', revision: null, ref: null, adapter: null, ...more } as ModelIdentity);
  const commit = '0123456789'.repeat(4);

  it('by its name, for a folder', () => expect(label({})).toBe('org/name'));
  it('by the revision that was asked for', () =>
    expect(label({ revision: commit, ref: 'step1000' })).toBe('org/name@step1000'));
  it('by its commit, shortened, where that was given', () => {
    expect(label({ revision: commit })).toBe('org/name@0123456');
    expect(label({ revision: commit, ref: commit })).toBe('org/name@0123456');
  });
  it('with the adapter that is applied to it', () => {
    const adapter = { name: 'lora', revision: null, ref: null, configSha256: '', weightsSha256: '' };
    expect(label({ adapter })).toBe('org/name + lora');
    expect(
      label({ revision: commit, ref: 'v2', adapter: { ...adapter, revision: commit, ref: 'step5' } }),
    ).toBe('org/name@v2 + lora@step5');
  });
});
