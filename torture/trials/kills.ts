import { babelscopeProcess } from '../../test/support/command-line.js';
import { callCounter, expectMended, pick, prepareCommands, reset, withFault } from '../commands.js';
import { eachSeed, type Trial } from '../trial.js';

export const kills: Trial = {
  name: 'kills',
  about:
    'kill -9 of capture, score, compare, report, export, at a random time or call of the file system, up to three times; the same command again leaves the bytes of an undisturbed run',
  tries: { quick: 12, whole: 120 },
  run: async (request) => {
    const commands = await prepareCommands(request.folder);
    const callsOf = callCounter(`${request.folder}/calls`);
    return eachSeed(request, async (random) => {
      const command = pick(commands, random);
      const calls = await callsOf(command, 'SIGKILL');
      reset(command);
      for (let left = 1 + random.integer(3); left > 0; left--) {
        if (random.integer(3) > 0)
          await withFault(command, { at: 1 + random.integer(calls), code: 'SIGKILL' });
        else
          await babelscopeProcess(command.words, {
            killAfter: random.integer(Math.ceil(command.milliseconds)),
          });
      }
      await expectMended(command);
    });
  },
};
