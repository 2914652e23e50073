// Preloaded into a command: at its n-th call of the file system for a folder something happens. `TORTURE_FAULT` is JSON:
// `under` the folder; `at` the call, from 1 (0: none); `stays` whether every later call fails too; `code` of the error, or
// the signal that the process gets; `tally` a file that the number of calls is written to at the end.
const fs = require('node:fs');
const os = require('node:os');
const { syncBuiltinESMExports } = require('node:module');

const { under, at, stays, code, tally } = JSON.parse(process.env.TORTURE_FAULT);
const { appendFileSync } = fs;
let calls = 0;
/** Numbers of files under the folder that are open. */
const open = new Set();
const handles = new WeakSet();

/** Calls that change something: no other fails where there is no room, or nothing may be written. */
const WRITES = /^(rename|mkdir|mkdtemp|rm|rmdir|unlink|write|writev|writeFile|sync|fsync|datasync|fdatasync|copyFile|utimes|truncate)$/;
const onlyWrites = code === 'ENOSPC' || code === 'EROFS';

function isOurs(target) {
  if (typeof target === 'number') return open.has(target);
  if (typeof target === 'string') return target === under || target.startsWith(`${under}/`);
  return typeof target === 'object' && target !== null && handles.has(target);
}

/** Counts a call, and lets happen what is to happen. @returns the error that it fails with, if any. */
function fault(name, target, args) {
  if (!isOurs(target)) return null;
  const flags = typeof args[1] === 'string' ? args[1] : typeof args[1] === 'number' ? args[1] : 'r';
  const writes = WRITES.test(name) || (name === 'open' && flags !== 'r' && flags !== 0);
  if (onlyWrites && !writes) return null;
  calls++;
  if (at === 0 || (stays ? calls < at : calls !== at)) return null;
  if (code.startsWith('SIG')) {
    process.kill(process.pid, code);
    return null;
  }
  const where = typeof target === 'string' ? ` '${target}'` : '';
  const errno = -os.constants.errno[code];
  return Object.assign(new Error(`${code}: injected, ${name}${where}`), { code, errno, syscall: name, path: where });
}

const PATHS = ['open', 'rename', 'mkdir', 'rm', 'rmdir', 'unlink', 'readdir', 'stat', 'lstat', 'writeFile', 'readFile', 'copyFile', 'utimes', 'truncate', 'realpath'];
const NUMBERS = ['write', 'writev', 'read', 'fsync', 'fdatasync', 'ftruncate', 'fstat', 'close'];
const HANDLES = ['write', 'writev', 'read', 'sync', 'datasync', 'writeFile', 'readFile', 'truncate', 'stat', 'close'];

for (const name of [...PATHS, ...NUMBERS]) {
  const sync = fs[`${name}Sync`];
  if (typeof sync === 'function')
    fs[`${name}Sync`] = Object.assign((...args) => {
      const error = fault(name, args[0], args);
      // What is closed is closed, whatever it answers.
      if (error !== null && name !== 'close') throw error;
      const result = sync.apply(fs, args);
      if (name === 'open' && isOurs(args[0])) open.add(result);
      if (name === 'close') open.delete(args[0]);
      if (error !== null) throw error;
      return result;
    }, sync);
  const called = fs[name];
  if (typeof called === 'function')
    fs[name] = Object.assign((...args) => {
      const done = args.at(-1);
      if (typeof done !== 'function') return called.apply(fs, args);
      const error = fault(name, args[0], args);
      if (error !== null && name !== 'close') return void process.nextTick(done, error);
      args[args.length - 1] = (failed, ...results) => {
        if (!failed && name === 'open' && isOurs(args[0])) open.add(results[0]);
        if (name === 'close') open.delete(args[0]);
        done(failed ?? error, ...results);
      };
      return called.apply(fs, args);
    }, called);
}

let prototypeIsPatched = false;
function patchHandles(prototype) {
  prototypeIsPatched = true;
  for (const name of HANDLES) {
    const method = prototype[name];
    prototype[name] = async function (...args) {
      const error = fault(name, this, args);
      if (error !== null && name !== 'close') throw error;
      const result = await method.apply(this, args);
      if (error !== null) throw error;
      return result;
    };
  }
}

for (const name of PATHS) {
  const method = fs.promises[name];
  fs.promises[name] = async (...args) => {
    const error = fault(name, args[0], args);
    if (error !== null) throw error;
    const result = await method.apply(fs.promises, args);
    if (name === 'open' && isOurs(args[0])) {
      if (!prototypeIsPatched) patchHandles(Object.getPrototypeOf(result));
      handles.add(result);
    }
    return result;
  };
}
syncBuiltinESMExports();

if (tally !== undefined) process.on('exit', () => appendFileSync(tally, `${calls}\n`));
