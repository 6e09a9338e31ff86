import { defineConfig } from 'vitest/config';

/** The tests that `main.ts` chose, without a build: the pages are those of the source as it is without mutants. */
export default defineConfig({
  test: {
    include: (process.env.VOUCH_MUTATION_TESTS ?? '').split(',').map((name) => `${name}*.test.ts`),
    testTimeout: 60_000,
    hookTimeout: 60_000,
  },
});
