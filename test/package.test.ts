import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

test('the lockfile names no registry', () => {
  const lock = readFileSync(`${ROOT}/package-lock.json`, 'utf8');
  expect(lock).not.toMatch(/"resolved"|https?:\/\/[^"]*\.tgz/);
});

test('every package that users install has a licence that permits that, or a line in NOTICE', () => {
  const permissive = [
    'MIT',
    'ISC',
    'Apache-2.0',
    'BSD-2-Clause',
    'BSD-3-Clause',
    '0BSD',
    'Unlicense',
    'CC0-1.0',
    'BlueOak-1.0.0',
  ];
  const { packages } = JSON.parse(readFileSync(`${ROOT}/package-lock.json`, 'utf8')) as {
    packages: Record<string, { license?: string; dev?: boolean }>;
  };
  const notice = readFileSync(`${ROOT}/NOTICE`, 'utf8');
  for (const [path, { license = 'none', dev }] of Object.entries(packages)) {
    const name = path.replace(/^.*node_modules\//, '');
    if (name === '' || dev) continue;
    const terms = license.split(/[() ]+/).filter((word) => !['', 'AND', 'OR'].includes(word));
    const named = notice.includes(name) || (/^@img\/sharp-/.test(name) && notice.includes('@img/sharp-'));
    expect([name, license, named || terms.every((term) => permissive.includes(term))]).toEqual([
      name,
      license,
      true,
    ]);
    const folder = `${ROOT}/${path}`;
    const licenceFile = /^(licen[cs]e|copying|notice)/i;
    // Packages for other systems are not installed here.
    if (existsSync(folder) && !readdirSync(folder).some((file) => licenceFile.test(file)))
      expect([name, named]).toEqual([name, true]);
  }
});

test('every dependency is pinned to one version', () => {
  const { dependencies, devDependencies } = JSON.parse(readFileSync(`${ROOT}/package.json`, 'utf8'));
  for (const [name, version] of Object.entries({ ...dependencies, ...devDependencies })) {
    expect([name, version]).toEqual([name, expect.stringMatching(/^\d+\.\d+\.\d+(-[\w.]+)?$/)]);
  }
});

test('the library offers the verbs of the command line', async () => {
  const library = await import('../src/index.js');
  for (const verb of [
    'openCheckpoint',
    'inspect',
    'loadProbes',
    'capture',
    'score',
    'compare',
    'report',
  ] as const) {
    expect(library[verb]).toBeTypeOf('function');
  }
});
