import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { OutputError } from '../src/errors.js';
import { deviceError, makeFolders, outputError } from '../src/system-errors.js';
import { temporaryFolder } from './support/temporary-folder.js';
import { TRANSPILED } from './support/transpile-sources.js';

describe('folders', () => {
  it('are made with those above them, by several at once', async () => {
    const root = temporaryFolder();
    const folder = join(root, 'a/b/c');
    await Promise.all(Array.from({ length: 8 }, () => makeFolders(folder)));
    expect(existsSync(folder)).toBe(true);
    await makeFolders(folder);
    symlinkSync(join(root, 'a'), join(root, 'link'));
    await makeFolders(join(root, 'link/d'));
    expect(existsSync(join(root, 'a/d'))).toBe(true);
  });

  it.each([
    ['a file above', 'file/x/y', 'ENOTDIR'],
    ['a file of that name', 'file', 'ENOTDIR'],
    ['a link that leads nowhere', 'dangling', 'EEXIST'],
    ['a name that is too long', 'n'.repeat(300), 'ENAMETOOLONG'],
    ['a link that leads to itself', 'circle/x', 'ELOOP'],
  ])('are refused with the cause: %s', async (_, path, code) => {
    const root = temporaryFolder();
    writeFileSync(join(root, 'file'), '');
    symlinkSync(join(root, 'nowhere'), join(root, 'dangling'));
    symlinkSync(join(root, 'circle'), join(root, 'circle'));
    await expect(makeFolders(join(root, path))).rejects.toMatchObject({ code });
  });

  it('on a read-only disk are refused as such', ({ skip }) => {
    const mount = join(temporaryFolder(), 'mount');
    mkdirSync(mount);
    const errors = pathToFileURL(join(TRANSPILED, 'system-errors.js')).href;
    const code = `import(${JSON.stringify(errors)}).then(({ makeFolders }) =>
      makeFolders(${JSON.stringify(join(mount, 'a/b'))}).catch(({ code }) => console.log(code)))`;
    const { status, stdout } = spawnSync(
      'unshare',
      [
        '-m',
        'sh',
        '-c',
        'mount -t tmpfs -o ro none "$0" && exec "$1" -e "$2"',
        mount,
        process.execPath,
        code,
      ],
      { encoding: 'utf8' },
    );
    if (status !== 0) skip('a disk can be mounted by root alone, on Linux');
    expect(stdout.trim()).toBe('EROFS');
  });
});

describe('an error of the operating system', () => {
  const failed = (code: string) =>
    outputError(Object.assign(new Error(`${code}: x`), { code }), '/out', '--there');

  it('is told by its own cause and remedy', () => {
    const codes = [
      'ENOSPC',
      'EDQUOT',
      'EFBIG',
      'EIO',
      'EACCES',
      'EROFS',
      'ENOENT',
      'ENOTDIR',
      'EISDIR',
      'ENAMETOOLONG',
    ];
    const whats = codes.map((code) => {
      const error = failed(code) as OutputError;
      expect(error).toBeInstanceOf(OutputError);
      expect(error.details).toMatchObject({ where: '/out', found: `${code}: x` });
      expect(error.details.remedy).toMatch(/--there|limit/);
      return error.details.what;
    });
    expect(new Set(whats).size).toBe(codes.length);
  });

  it.each(['ERR_WORKER_INVALID_EXEC_ARGV', 'ERR_OUT_OF_RANGE', 'UND_ERR_SOCKET'])(
    '%s is no matter of the folder',
    (code) => {
      expect(failed(code)).not.toBeInstanceOf(OutputError);
    },
  );
});

it('a fault of a disk is typed wherever it is met; what may be a fault of ours stays as it is', () => {
  const failed = (code: string) => Object.assign(new Error(`${code}: close`), { code, syscall: 'close' });
  for (const code of ['EIO', 'ENOSPC', 'EROFS', 'EMFILE']) {
    const error = deviceError(failed(code));
    expect(error).toBeInstanceOf(OutputError);
    expect((error as OutputError).message).toContain('a file that was open');
  }
  for (const other of [failed('ENOENT'), failed('EBADF'), new TypeError('x'), undefined])
    expect(deviceError(other)).toBe(other);
});
