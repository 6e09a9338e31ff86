import { defineConfig } from 'vitest/config';

/** Runs the tests that `main.ts` chose, without a build: the built pages are those of the source without mutants. */
export default defineConfig({
  test: {
    include: (process.env.VOUCH_MUTATION_TESTS ?? '').split(',').map((name) => `${name}*.test.ts`),
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
