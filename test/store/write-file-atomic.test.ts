import { open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { InterruptedError, OutputError } from '../../src/errors.js';
import { PLACE } from '../../src/store/files/temporary-name.js';
import {
  makeFolder,
  type WriteFileSystem,
  writeFileAtomic,
} from '../../src/store/files/write-file-atomic.js';
import { writeSafetensors } from '../support/write-safetensors.js';
import { temporaryFolder } from './temporary-folder.js';

const text = (value: string) => new TextEncoder().encode(value);

function systemError(code: string): Error {
  return Object.assign(new Error(`${code}: simulated`), { code });
}

/** A file system on which one call fails, after `room` bytes where that call is `write`. */
function failing(
  call: 'open' | 'write' | 'sync' | 'close' | 'rename' | 'syncFolder',
  code: string,
  room = 0,
): WriteFileSystem {
  let left = room;
  const failIf = (which: string) => {
    if (call === which) throw systemError(code);
  };
  return {
    async open(path, flags) {
      failIf('open');
      const file = await open(path, flags);
      const write = async (chunk: Uint8Array, offset: number, length: number) => {
        const fits = call === 'write' ? Math.min(length, left) : length;
        if (fits === 0) throw systemError(code);
        left -= fits;
        return file.write(chunk, offset, fits);
      };
      return {
        write: write as typeof file.write,
        sync: async () => failIf('sync'),
        close: async () => {
          await file.close();
          failIf('close');
        },
      };
    },
    async rename(from, to) {
      failIf('rename');
      await rename(from, to);
    },
    rm,
    syncFolder: async () => failIf('syncFolder'),
  };
}

describe('writeFileAtomic', () => {
  it('writes all chunks, replacing an older file, and leaves nothing else', async () => {
    const folder = await temporaryFolder();
    const path = join(folder, 'a.json');
    await writeFileAtomic(path, [text('old')]);
    await writeFileAtomic(path, [text('new, '), text(''), text('longer')]);
    expect(await readFile(path, 'utf8')).toBe('new, longer');
    expect(await readdir(folder)).toEqual(['a.json']);
  });

  it('takes chunks as they are made', async () => {
    const path = join(await temporaryFolder(), 'a');
    async function* chunks() {
      yield text('one ');
      yield text('two');
    }
    await writeFileAtomic(path, chunks());
    expect(await readFile(path, 'utf8')).toBe('one two');
  });

  it.each([
    ['write', 'ENOSPC', /disk is full[\s\S]*free some space/],
    ['sync', 'ENOSPC', /disk is full/],
    ['close', 'EDQUOT', /quota/],
    ['open', 'EROFS', /read-only/],
    ['open', 'EACCES', /may not be written[\s\S]*permissions/],
    ['rename', 'EPERM', /may not be written/],
    ['write', 'EIO', /disk reports a fault[\s\S]*EIO[\s\S]*log of the system/],
    ['open', 'ENAMETOOLONG', /name is longer[\s\S]*shorter path/],
    ['open', 'EMFILE', /too many files[\s\S]*ulimit -n/],
    ['write', 'EXDEV', /cannot be written[\s\S]*EXDEV/],
  ] as const)(
    'a %s that fails with %s is an OutputError, and the older file stays whole',
    async (call, code, message) => {
      const folder = await temporaryFolder();
      const path = join(folder, 'part');
      await writeFile(path, 'older');
      const error: unknown = await writeFileAtomic(
        path,
        [text('half'), text('other half')],
        failing(call, code, 6),
      ).then(
        () => 'written',
        (e: unknown) => e,
      );
      expect(error).toBeInstanceOf(OutputError);
      expect((error as OutputError).exitCode).toBe(2);
      expect((error as OutputError).message).toMatch(message);
      expect((error as OutputError).message).toContain(path);
      expect(await readFile(path, 'utf8')).toBe('older');
      expect(await readdir(folder)).toEqual(['part']);
    },
  );

  it.each([
    ['EIO', true],
    ['ENOSPC', true],
    ['EINVAL', false],
    ['ENOTSUP', false],
  ] as const)(
    'a folder that cannot be flushed (%s): an error unless the file system never does',
    async (code, fails) => {
      const path = join(await temporaryFolder(), 'part');
      const writing = writeFileAtomic(path, [text('whole')], failing('syncFolder', code));
      if (fails) await expect(writing).rejects.toThrow(OutputError);
      else expect((await writing).bytes).toBe(5);
      expect(await readFile(path, 'utf8')).toBe('whole');
    },
  );

  it('leaves no part behind when the disk fills up in the middle of a safetensors file', async () => {
    const folder = await temporaryFolder();
    const arrays = [{ name: 'a', dtype: 'F64', shape: [4096], data: new Float64Array(4096) } as const];
    const full = failing('write', 'ENOSPC', 1000);
    await expect(writeSafetensors(join(folder, 'p'), arrays, {}, full)).rejects.toThrow(OutputError);
    expect(await readdir(folder)).toEqual([]);
  });

  it('passes on what the chunks throw, and leaves nothing', async () => {
    const folder = await temporaryFolder();
    async function* chunks() {
      yield text('half');
      throw new InterruptedError({ what: 'interrupted' });
    }
    await expect(writeFileAtomic(join(folder, 'p'), chunks())).rejects.toThrow(InterruptedError);
    expect(await readdir(folder)).toEqual([]);
  });

  it('removes what a killed process of this place left of the file, and nothing of others', async () => {
    const folder = await temporaryFolder();
    const leftBy = (process: string) => join(folder, `.p.${process}.tmp`);
    const deadPid = 2 ** 22 + 1; // above the largest process id of Linux
    const others = [
      leftBy(`otherplace-${deadPid}-ab`),
      leftBy(`${PLACE}-1-ab`),
      join(folder, `.q.${PLACE}-${deadPid}-ab.tmp`),
    ];
    for (const path of [leftBy(`${PLACE}-${deadPid}-ab`), ...others]) await writeFile(path, 'half');
    await writeFileAtomic(join(folder, 'p'), [text('whole')]);
    expect((await readdir(folder)).sort()).toEqual(
      [...others.map((path) => path.slice(folder.length + 1)), 'p'].sort(),
    );
  });

  it('says that the folder is missing or is a file', async () => {
    const folder = await temporaryFolder();
    await writeFile(join(folder, 'file'), '');
    await expect(writeFileAtomic(join(folder, 'absent', 'p'), [])).rejects.toThrow(/does not exist/);
    await expect(writeFileAtomic(join(folder, 'file', 'p'), [])).rejects.toThrow(OutputError);
    await expect(makeFolder(join(folder, 'file', 'run'))).rejects.toThrow(OutputError);
    await expect(makeFolder(join(folder, 'file'))).rejects.toThrow(OutputError);
  });
});
