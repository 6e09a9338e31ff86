import { readFileSync } from 'node:fs';
import { basename, dirname, resolve } from 'node:path';
import preact from '@preact/preset-vite';
import { defineConfig, type EnvironmentOptions, type Plugin, type UserConfig } from 'vite';
import { type Program, programs } from './programs.ts';
import { pagesFromTemplate } from './web/template.ts';

const here = (path: string) => resolve(import.meta.dirname, path);

/** Puts program-start.sh in place of the `#!` line of each built program that people and Git start by name. */
const startByShell: Plugin = {
  name: 'start-by-shell',
  generateBundle(_, bundle) {
    for (const file of Object.values(bundle)) {
      if (file.type !== 'chunk' || !file.isEntry) continue;
      file.code = file.code.replace(/^#!.*\n/, () => readFileSync(here('program-start.sh'), 'utf8'));
    }
  },
};

/** What a build took from other packages, and under which licences: deploy/release/ puts it beside the programs. */
const license = { fileName: 'licenses.json' };

/** The pages (web/pages.ts). Every asset is a separate file, so that the CSP can stay strict. */
const pages: UserConfig = {
  root: here('web'),
  plugins: [preact(), pagesFromTemplate],
  build: {
    outDir: here('dist/web'),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    license,
  },
};

/**
 * One of the CLI's programs. One file holds all that its start needs, because a developer waits for that. It is CommonJS, which
 * Node starts some milliseconds sooner. The modules that it loads later are beside it.
 */
const program = ({ source, built }: Program): EnvironmentOptions => ({
  consumer: 'server',
  resolve: { noExternal: true, external: ['open'] },
  build: {
    ssr: true,
    outDir: dirname(here(built)),
    emptyOutDir: true,
    target: 'node24',
    license,
    rolldownOptions: {
      input: { main: here(source) },
      output: {
        format: 'cjs',
        comments: false,
        entryFileNames: basename(built),
        chunkFileNames: '[name]-[hash].cjs',
        codeSplitting: { groups: [{ name: 'start', tags: ['$initial'] }] },
      },
    },
  },
});

const { 'vouch-server': vouchServer, ...cliPrograms } = programs;

const cli: UserConfig = {
  root: here('.'),
  plugins: [startByShell],
  environments: Object.fromEntries(
    Object.entries(cliPrograms).map(([name, one]) => [name.replaceAll('-', '_'), program(one)]),
  ),
  builder: {
    async buildApp({ build, environments }) {
      for (const name of Object.keys(cliPrograms)) {
        const environment = environments[name.replaceAll('-', '_')];
        if (environment) await build(environment);
      }
    },
  },
};

/**
 * The server: its own code and what its commands load, because an administrator waits for that; other dependencies from node_modules.
 */
const server: UserConfig = {
  root: here('.'),
  plugins: [startByShell],
  ssr: { noExternal: ['kysely', 'commander'] },
  build: {
    ssr: true,
    outDir: dirname(here(vouchServer.built)),
    emptyOutDir: true,
    target: 'node24',
    license,
    rolldownOptions: {
      input: { 'vouch-server': here(vouchServer.source) },
      output: { chunkFileNames: '[name]-[hash].js' },
    },
  },
};

export default defineConfig(({ mode }) => ({ pages, cli, server })[mode] ?? pages);
