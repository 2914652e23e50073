import { setTimeout } from 'node:timers/promises';
import { verify } from '../../src/store/index.js';
import { babelscopeProcess } from '../../test/support/command-line.js';
import { expectMended, expectWhole, pick, prepareCommands, reset } from '../commands.js';
import { eachSeed, Failed, type Trial } from '../trial.js';

export const writers: Trial = {
  name: 'writers',
  about:
    'two to four of one command at the same folder, some killed: each ends well or is told who writes; the bytes are those of an undisturbed run',
  tries: { quick: 6, whole: 40 },
  run: async (request) => {
    const commands = await prepareCommands(request.folder);
    return eachSeed(request, async (random) => {
      const command = pick(commands, random);
      reset(command);
      const late = () => random.integer(Math.ceil(command.milliseconds));
      const starts = Array.from({ length: 2 + random.integer(3) }, () => ({
        after: random.integer(2) === 0 ? 0 : late(),
        killAfter: random.integer(4) === 0 ? late() : undefined,
      }));
      const outcomes = await Promise.all(
        starts.map(async ({ after, killAfter }) => {
          await setTimeout(after);
          return babelscopeProcess(command.words, killAfter === undefined ? {} : { killAfter });
        }),
      );
      for (const { code, signal, stderr } of outcomes) {
        const refused = code === 2 && stderr.includes('another process writes into the folder');
        if (code !== 0 && signal !== 'SIGKILL' && !refused)
          throw new Failed(
            `${command.name} beside ${starts.length - 1} others ended with ${code ?? signal}:\n${stderr}`,
          );
      }
      const ended = outcomes.some(({ code }) => code === 0);
      if (!ended && starts.every(({ killAfter }) => killAfter === undefined))
        throw new Failed(`${command.name}: none of ${starts.length} writers ended well`);
      if (ended && starts.every(({ killAfter }) => killAfter === undefined)) expectWhole(command);
      await expectMended(command);
      if (command.name === 'export') return;
      const { damaged } = await verify(command.target);
      if (damaged.length > 0)
        throw new Failed(`${command.name}: ${damaged[0]!.file} ${damaged[0]!.problem}`, true);
    });
  },
};
