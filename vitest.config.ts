import { defineConfig } from 'vitest/config';

export default defineConfig({
  // Tests are written against src/ and run the built package in dist/, so that what is tested is what is
  // installed, worker threads included. `npm test` builds first.
  resolve: { alias: [{ find: /^((?:\.\.\/)+)src\//, replacement: '$1dist/' }] },
  test: {
    include: ['test/**/*.test.ts'],
    pool: 'forks',
    // The default leaves one core idle, which on two cores is half of them.
    maxWorkers: '100%',
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
