/** `npm run mutate -- FILE…`: breaks each line of a file in turn, and lists the breaks that no test notices. */
import { relative, resolve } from 'node:path';
import { Stryker } from '@stryker-mutator/core';
import { Command } from 'commander';
import { ensureBuilt } from '../support/ensure-built.ts';
import { testsByFile, testsForFile } from './tests-for-file.ts';

type Mutant = Awaited<ReturnType<Stryker['runMutationTest']>>[number];

const root = resolve(import.meta.dirname, '../..');

const command = new Command('mutate')
  .description('Breaks each line of a file in turn, and lists the breaks that no test notices.')
  .argument('<files...>', `sources, such as ${Object.keys(testsByFile)[0]}; FILE:10-20 for some lines only`)
  .option(
    '--tests <parts...>',
    'the tests to run, by the beginning of their path; by default those in tests-for-file.ts',
  )
  .action(async (files: string[], { tests }: { tests?: string[] }) => {
    await ensureBuilt();
    process.chdir(root);
    for (const file of files) {
      const source = relative(root, resolve(process.env.INIT_CWD ?? root, file));
      const chosen = tests ?? testsForFile(source);
      if (chosen === undefined) throw new Error(`test/mutation/tests-for-file.ts has no tests for ${source}`);
      report(source, await mutate(source, chosen));
    }
  });

await command.parseAsync();

/** Runs Stryker on a file. It leaves strings alone: most are sentences for people, which no test should repeat. */
async function mutate(file: string, tests: readonly string[]): Promise<Mutant[]> {
  process.env.VOUCH_MUTATION_TESTS = tests.join(',');
  const stryker = new Stryker({
    mutate: [file],
    mutator: { plugins: [], excludedMutations: ['StringLiteral'] },
    plugins: ['@stryker-mutator/vitest-runner'],
    testRunner: 'vitest',
    vitest: { configFile: 'test/mutation/vitest.config.ts', related: false, pool: 'forks' },
    coverageAnalysis: 'perTest',
    checkers: [],
    reporters: ['dots'],
    concurrency: 1,
    timeoutMS: 30_000,
    disableTypeChecks: false,
    // Stryker would rewrite the file with TypeScript's old API, which version 7 lacks.
    tsconfigFile: 'none',
    allowConsoleColors: false,
    tempDirName: 'dist/mutation',
    ignorePatterns: ['/dist/cli', '/dist/server', '/docs'],
  });
  return stryker.runMutationTest();
}

function report(file: string, mutants: readonly Mutant[]): void {
  const counted = mutants.filter(({ status }) => ['Killed', 'Timeout', 'Survived', 'NoCoverage'].includes(status));
  const unnoticed = counted.filter(({ status }) => status === 'Survived' || status === 'NoCoverage');
  for (const { location, mutatorName, replacement, status } of unnoticed) {
    const line = (replacement ?? '').replace(/\s+/g, ' ').slice(0, 90);
    process.stdout.write(`${file}:${location.start.line}:${location.start.column} ${status} ${mutatorName}: ${line}\n`);
  }
  const killed = counted.length - unnoticed.length;
  const share = counted.length === 0 ? 100 : (100 * killed) / counted.length;
  process.stdout.write(`${file}: ${killed} of ${counted.length} noticed, ${share.toFixed(1)} %\n`);
}
