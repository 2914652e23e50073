import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { babelscope, babelscopeProcess, temporaryFolder } from '../support/command-line.js';
import { filesOf, type HubModel, type HubServer, startHub } from '../support/hub-server.js';
import { TINY_PROBES, tinyCheckpoint } from '../support/tiny-checkpoint.js';

const COMMITS = { step1000: '1'.repeat(40), step2000: '2'.repeat(40) };

/** A model with two training revisions that differ in one byte of their weights. */
function trainedModel(): HubModel {
  const {
    'expected.safetensors': _,
    'gradients.safetensors': _gradients,
    ...files
  } = filesOf(tinyCheckpoint());
  const later = Buffer.from(files['model.safetensors']!);
  later[later.byteLength - 4]! ^= 0x20;
  return {
    name: 'org/tiny',
    refs: COMMITS,
    commits: { [COMMITS.step1000]: files, [COMMITS.step2000]: { ...files, 'model.safetensors': later } },
  };
}

function environment(hub: HubServer, home: string): Record<string, string> {
  return { HF_ENDPOINT: hub.endpoint, HF_HOME: home, HF_HUB_CACHE: '', HF_TOKEN: '', HF_HUB_OFFLINE: '' };
}

function readJson(path: string) {
  return JSON.parse(readFileSync(path, 'utf8'));
}

test('training revisions are captured from the hub and told apart in comparison and report', async () => {
  const hub = await startHub([trainedModel()]);
  const home = temporaryFolder();
  const env = environment(hub, home);
  const runs = join(temporaryFolder(), 'runs');
  const capture = (checkpoint: string, out: string) =>
    babelscope(['capture', checkpoint, '--probes', TINY_PROBES, '--limit', '10', '--out', join(runs, out)], {
      env,
    });
  for (const [revision, commit] of Object.entries(COMMITS)) {
    const outcome = await capture(`hf://org/tiny@${revision}`, revision);
    expect(outcome.stderr).not.toContain('remedy');
    expect(outcome.code).toBe(0);
    expect(readJson(join(runs, revision, 'manifest.json')).model).toMatchObject({
      name: 'org/tiny',
      ref: revision,
      revision: commit,
    });
  }

  // The same commit by its path in the cache is the same run; another revision is not.
  const snapshot = join(home, 'hub/models--org--tiny/snapshots', COMMITS.step1000);
  expect((await capture(snapshot, 'step1000')).code).toBe(0);
  const other = await capture('hf://org/tiny@step2000', 'step1000');
  expect(other.code).toBe(2);
  expect(other.stderr).toMatch(/different plan: commit, weights/);

  const comparison = join(runs, 'comparison');
  const compared = await babelscope(
    ['compare', join(runs, 'step1000'), join(runs, 'step2000'), '--out', comparison],
    { env },
  );
  expect(compared.code).toBe(0);
  const { runs: labelled } = readJson(join(comparison, 'comparison.json'));
  expect(labelled.map(({ label }: { label: string }) => label)).toEqual([
    'org/tiny@step1000',
    'org/tiny@step2000',
  ]);
  const report = join(runs, 'report');
  expect((await babelscope(['report', comparison, '--formats', 'html', '--out', report])).code).toBe(0);
  const page = readFileSync(join(report, 'report.html'), 'utf8');
  for (const text of ['org/tiny@step1000', 'org/tiny@step2000', COMMITS.step1000])
    expect(page).toContain(text);
});

test('a cache whose disk takes no more is told with exit 2, what was fetched is kept and gone on with', async () => {
  const hub = await startHub([trainedModel()]);
  const home = temporaryFolder();
  const env = environment(hub, home);
  const out = join(temporaryFolder(), 'run');
  const command = [
    'capture',
    'hf://org/tiny@step1000',
    '--probes',
    TINY_PROBES,
    '--limit',
    '2',
    '--out',
    out,
  ];
  const full = await babelscopeProcess(command, { env, fileSizeLimit: 20 });
  expect(full.code).toBe(2);
  expect(full.stderr).toMatch(/larger than the disk allows[\s\S]*HF_HUB_CACHE/);
  expect(existsSync(out)).toBe(false);
  const blobs = join(home, 'hub/models--org--tiny/blobs');
  expect(readdirSync(blobs).filter((name) => name.endsWith('.incomplete'))).toHaveLength(1);
  expect((await babelscope(command, { env })).code).toBe(0);
  expect(hub.storageRequests.at(-1)?.range).toBe(`bytes=${20 * 1024}-`);
});

test('a name without hf:// that is no folder is answered with the address on the hub', async () => {
  const outcome = await babelscope(['inspect', 'Qwen/Qwen2.5-0.5B']);
  expect(outcome.code).toBe(2);
  expect(outcome.stderr).toContain('hf://Qwen/Qwen2.5-0.5B');
});
