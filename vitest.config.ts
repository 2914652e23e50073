import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

export default defineConfig({
  resolve: {
    alias: [
      // The examples import the package by its name.
      { find: /^babelscope$/, replacement: fileURLToPath(new URL('src/index.ts', import.meta.url)) },
      // Threads and processes run transpiled sources; see there.
      {
        find: /^\.\.?\/(.*\/)?start-child\.js$/,
        replacement: fileURLToPath(new URL('test/support/start-child.ts', import.meta.url)),
      },
      {
        find: /^\.\.?\/(.*\/)?start-thread\.js$/,
        replacement: fileURLToPath(new URL('test/support/start-thread.ts', import.meta.url)),
      },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    globalSetup: ['test/support/global-setup.ts'],
    pool: 'forks',
    // A process loads the sources once for all of its test files, which leave nothing behind them.
    isolate: false,
    restoreMocks: true,
    unstubEnvs: true,
    unstubGlobals: true,
    // The default leaves one core idle, which on two cores is half of them.
    maxWorkers: '100%',
    // No test fails because another program runs: the limit only ends a test that hangs.
    testTimeout: 600_000,
    hookTimeout: 600_000,
  },
});
