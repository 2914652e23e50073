import {
  callCounter,
  expectMended,
  expectWhole,
  pick,
  prepareCommands,
  reset,
  withFault,
} from '../commands.js';
import { eachSeed, Failed, type Trial } from '../trial.js';

const CODES = ['EIO', 'ENOSPC', 'EROFS'] as const;

export const ioErrors: Trial = {
  name: 'I/O errors',
  about:
    'EIO, ENOSPC or EROFS at a random call of the file system for the folder, once or from then on: exit 2, or exit 0 and the bytes of an undisturbed run; the same command again leaves them',
  tries: { quick: 12, whole: 120 },
  run: async (request) => {
    const commands = await prepareCommands(request.folder);
    const callsOf = callCounter(`${request.folder}/calls`);
    return eachSeed(request, async (random) => {
      const command = pick(commands, random);
      const code = pick(CODES, random);
      const at = 1 + random.integer(await callsOf(command, code));
      const stays = random.integer(2) === 0;
      reset(command);
      const { code: status, signal, stderr } = await withFault(command, { at, code, stays });
      if (status === 0 && !stays) expectWhole(command);
      const named = /babelscope: |damaged/.test(stderr) && !stderr.includes('internal error');
      if (status !== 0 && (status !== 2 || !named))
        throw new Failed(
          `${command.name}, call ${at}${stays ? ' and all after it' : ''}: ${code} ended with ${status ?? signal}:\n${stderr}`,
        );
      await expectMended(command);
    });
  },
};
