import { Command, Option } from '@commander-js/extra-typings';
import { type CaptureOptions, type CaptureResult, capture, EXTRA_HOOKS } from '../capture/index.js';
import { describeSource } from '../probes/index.js';
import { TRANSFORMERS_VERSIONS } from '../tokenizer/index.js';
import {
  choice,
  parseBytes,
  parseChoices,
  parseList,
  parsePositiveInteger,
  parseSeed,
  parseShard,
  parseTokens,
} from './options.js';
import {
  formatBytes,
  interruptSignal,
  printJson,
  say,
  sayTable,
  sayWarnings,
  startDownloadProgress,
  startProgress,
} from './terminal.js';

export function captureCommand() {
  return new Command('capture')
    .argument(
      '<checkpoint>',
      "a Hugging Face folder, a snapshot in the hub's cache, hf://org/name@revision, or an .onnx file",
    )
    .requiredOption(
      '--probes <set|path>',
      'a built-in probe set, a folder, or files of a published set (see `babelscope probes list`)',
    )
    .option('--format <name>', 'how the files are to be read (default: what they look like)')
    .option('--adapter <folder>', 'a PEFT LoRA adapter to apply: its folder, or hf://org/name@revision')
    .option(
      '--tokenizer <folder>',
      "the tokenizer of another folder instead of the checkpoint's own, or hf://org/name@revision",
    )
    .addOption(
      new Option(
        '--tokenizer-rules <version>',
        'the version of transformers whose rules the tokenizer follows (default: the one that saved it)',
      ).choices(Object.values(TRANSFORMERS_VERSIONS)),
    )
    .requiredOption('--out <run>', 'folder of the run; the same command resumes an unfinished one')
    .option(
      '--languages <tags>',
      'only these languages, comma-separated (default: all of the probe set)',
      parseList,
    )
    .addOption(choice('--positions <which>', 'which tokens count', ['all', 'last', 'answer'], 'all'))
    .option('--count-first', 'count the first token of each sequence too (an attention sink in most models)')
    .addOption(choice('--bos <mode>', "add the tokenizer's special tokens", ['auto', 'on', 'off'], 'auto'))
    .addOption(
      new Option(
        '--keep <what>',
        'pooled values of every item (needed by AP and the decomposition), those of the neurons of routed experts too, or fold sums only',
      ).choices(['items', 'expert-items', 'folds'] as const),
    )
    .addOption(
      choice(
        '--pooling <how>',
        "how a prompt's counted tokens become its one pooled value",
        ['mean', 'max', 'last'],
        'mean',
      ),
    )
    .addOption(
      new Option(
        '--hooks <names>',
        `also record these hooks, comma-separated: ${EXTRA_HOOKS.join(' (patterns of heads), ')} (residual dimensions)`,
      ).argParser(parseChoices(EXTRA_HOOKS)),
    )
    .addOption(choice('--device <device>', 'where the graphs run', ['cpu', 'webgpu', 'cuda'], 'cpu'))
    .option('--threads <n>', 'threads of one operator (default: the physical cores)', parsePositiveInteger)
    .option('--memory <size>', 'what weights and activations may take together', parseBytes, 8 * 2 ** 30)
    .option(
      '--shard <i/n>',
      'compute only the i-th of n shares of the chunks; `merge` joins them',
      parseShard,
    )
    .option(
      '--sequence-length <tokens>',
      'pack unaligned text into sequences of this many tokens (default: 512)',
      parsePositiveInteger,
    )
    .option(
      '--tokens-per-language <n|min>',
      'cut every language to this many counted tokens, or to those of the smallest (default for unaligned text: min)',
      parseTokens,
    )
    .option('--limit <items>', 'only the first items of the set', parsePositiveInteger)
    .option(
      '--folds-by <cluster>',
      'deal whole clusters of items into folds, for example relation or document: findings are then about other clusters',
    )
    .option('--seed <n>', 'seed of the deal into folds', parseSeed, 0)
    .option('--json', "print the run's manifest as one JSON object")
    .action(async (checkpoint, { json, memory, hooks, ...options }) => {
      const { manifest, folder, complete } = await captureWithProgress({
        checkpoint,
        memoryBytes: memory,
        extraHooks: hooks,
        ...options,
        signal: interruptSignal(),
      });
      if (json) printJson({ folder, manifest });
      else
        say(
          complete
            ? `\nNext: babelscope score ${folder}`
            : `\nNext: the other shards, then babelscope merge ${folder}`,
        );
    });
}

/** Lines that say which files a language was read from. */
const SHOWN_SOURCES = 30;

/** Captures with a progress bar and prints the table of tokens per language. */
export async function captureWithProgress(
  options: CaptureOptions,
  title = 'capture',
): Promise<CaptureResult> {
  const progress = startProgress(title);
  const download = startDownloadProgress();
  try {
    const result = await capture({
      ...options,
      onDownload: (step) => download.update(step),
      onProbes: ({ sources = [] }) => {
        download.stop();
        for (const source of sources.slice(0, SHOWN_SOURCES)) say(describeSource(source));
        if (sources.length > SHOWN_SOURCES) say(`… ${sources.length - SHOWN_SOURCES} more, in the manifest`);
      },
      onPlan: ({ bytes }) => {
        download.stop();
        say(`the run will take ${formatBytes(bytes)} on disk, and as much again while its parts are merged`);
      },
      onDamaged: ({ what, where }) => say(`${where}: ${what}. It is made anew.`),
      onProgress: (step) => {
        download.stop();
        progress.update({
          done: step.tokensDone,
          total: step.tokensTotal,
          rate: `${Math.round(step.tokensPerSecond).toLocaleString('en')} tokens/s`,
          secondsLeft: step.secondsLeft,
          label: `chunk ${step.chunk + 1}/${step.chunks} layer ${step.layer + 1}/${step.layers}`,
        });
      },
    });
    progress.stop();
    const { manifest } = result;
    sayWarnings(manifest.warnings);
    sayTable(
      ['language', 'name', 'prompts', 'counted tokens'],
      manifest.languages.map((language) => [
        language.tag,
        language.name,
        language.prompts ?? 'unknown',
        language.tokens,
      ]),
    );
    return result;
  } finally {
    download.stop();
    progress.stop();
  }
}
