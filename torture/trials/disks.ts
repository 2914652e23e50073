import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { MAIN } from '../../test/support/command-line.js';
import { type Command, contents, difference, pick, prepareCommands } from '../commands.js';
import { eachSeed, Failed, type Trial } from '../trial.js';

/** Runs a command on a small disk of its own, makes the disk larger and runs it again. The disk goes with the shell. */
const SCRIPT = `
  disk=$1 size=$2 before=$3 target=$4 result=$5; shift 5
  mkdir -p "$disk" && mount -t tmpfs -o size=64m none "$disk" || exit 90
  if [ -n "$before" ]; then cp -r "$before" "$target" || exit 91; fi
  used=$(du -sk "$disk" | cut -f1)
  mount -o remount,size=$((used + size))k "$disk" || exit 92
  "$@" 2> "$result/first"; echo $? > "$result/status"
  mount -o remount,size=64m "$disk" || exit 93
  "$@" 2> "$result/second"; again=$?
  cp -r "$target" "$result/files"
  exit $again`;

/** In a namespace of its own, a user may mount; the machine sees nothing of it. */
const ALONE = ['unshare', '--user', '--map-root-user', '--mount'];

function onSmallDisk(command: Command, kilobytes: number, result: string): number | null {
  const words = command.words.map((word) => word);
  const [program, ...rest] = [
    ...ALONE,
    ...['bash', '-c', SCRIPT, '-', join(command.target, '..'), `${kilobytes}`, command.before ?? ''],
    ...[command.target, result, process.execPath, MAIN, ...words],
  ];
  return spawnSync(program!, rest, { stdio: 'ignore' }).status;
}

export const disks: Trial = {
  name: 'full disks',
  about:
    'a disk with less room than the command takes: exit 2; with more room, the same command leaves the bytes of an undisturbed run',
  tries: { quick: 6, whole: 40 },
  run: async (request) => {
    const probe = spawnSync(ALONE[0]!, [...ALONE.slice(1), 'mount', '-t', 'tmpfs', 'none', request.folder]);
    if (probe.status !== 0)
      return {
        tried: 0,
        faults: [],
        left: `no disk can be mounted here: ${String(probe.stderr ?? probe.error).trim()}`,
      };
    const commands = await prepareCommands(request.folder, 'disk/target');
    return eachSeed(request, async (random) => {
      const command = pick(commands, random);
      rmSync(command.target, { recursive: true, force: true });
      const kilobytes = random.integer(Math.ceil((1.2 * command.bytes) / 1024));
      const result = join(request.folder, 'result');
      rmSync(result, { recursive: true, force: true });
      mkdirSync(result);
      for (const name of ['first', 'second', 'status']) writeFileSync(join(result, name), '');
      const again = onSmallDisk(command, kilobytes, result);
      const read = (name: string) => readFileSync(join(result, name), 'utf8');
      const status = Number(read('status'));
      const what = `${command.name} with ${kilobytes} KB`;
      if (![0, 2].includes(status) || read('first').includes('internal error'))
        throw new Failed(`${what} ended with ${status}:\n${read('first')}`);
      if (again !== 0) throw new Failed(`${what}, then with enough, ended with ${again}:\n${read('second')}`);
      const differs = difference(contents(join(result, 'files')), command.expected);
      if (differs !== '') throw new Failed(`${what}, then with enough: ${differs}`, true);
    });
  },
};
