import { defineConfig } from 'vitest/config';
import { onBothEngines } from './test/on-both-engines.ts';

/** For a busy machine. */
const timeouts = { testTimeout: 60_000, hookTimeout: 60_000, expect: { poll: { timeout: 30_000 } } };

export default defineConfig({
  test: {
    globalSetup: ['test/global-setup.ts'],
    maxWorkers: 2,
    projects: [
      { test: { name: 'vouch', include: ['test/**/*.test.ts'], ...timeouts } },
      { test: { name: 'postgres', include: onBothEngines, env: { VOUCH_TEST_ENGINE: 'postgres' }, ...timeouts } },
    ],
  },
});
