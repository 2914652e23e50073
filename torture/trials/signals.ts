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

const STATUS = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

export const signals: Trial = {
  name: 'signals',
  about:
    'SIGINT, SIGTERM or SIGHUP at a random call of the file system: exit 130, 143, 129; the same command again leaves the bytes of an undisturbed run',
  tries: { quick: 9, whole: 60 },
  run: async (request) => {
    const commands = await prepareCommands(request.folder);
    const callsOf = callCounter(`${request.folder}/calls`);
    return eachSeed(request, async (random) => {
      const command = pick(commands, random);
      const code = pick(Object.keys(STATUS) as (keyof typeof STATUS)[], random);
      const at = 1 + random.integer(await callsOf(command, code));
      reset(command);
      const { code: status, signal, stderr } = await withFault(command, { at, code });
      // A command that had done its work when the signal came ends as if none had come.
      if (status === 0) expectWhole(command);
      else if (status !== STATUS[code])
        throw new Failed(`${command.name}, call ${at}: ${code} ended with ${status ?? signal}:\n${stderr}`);
      await expectMended(command);
    });
  },
};
