import { resolve } from 'node:path';
import preact from '@preact/preset-vite';
import { defineConfig, type UserConfig } from 'vite';

const here = (path: string) => resolve(import.meta.dirname, path);

/** The pages that the server serves: one entry a page, every asset a file of its own so that the CSP can stay strict. */
const pages: UserConfig = {
  root: here('web'),
  plugins: [preact()],
  build: {
    outDir: here('dist/web'),
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    rolldownOptions: {
      input: {
        login: here('web/login/index.html'),
        enroll: here('web/enroll/index.html'),
        'signed-in': here('web/signed-in/index.html'),
      },
    },
  },
};

/** The CLI's programs, each a bundle that holds all it needs, because their start is what a developer waits for. */
const cli: UserConfig = {
  root: here('.'),
  ssr: { noExternal: true, external: ['open'] },
  build: {
    ssr: true,
    outDir: here('dist/cli'),
    emptyOutDir: true,
    target: 'node24',
    rolldownOptions: {
      input: {
        vouch: here('cli/main.ts'),
        agent: here('cli/agent/main.ts'),
        'git-credential-vouch': here('cli/git/helper.ts'),
        'git-remote-codecommit': here('cli/git/remote/main.ts'),
      },
    },
  },
};

/** The server: its own code in one file, its dependencies from node_modules. */
const server: UserConfig = {
  root: here('.'),
  build: {
    ssr: true,
    outDir: here('dist/server'),
    emptyOutDir: true,
    target: 'node24',
    rolldownOptions: {
      input: { 'vouch-server': here('server/main.ts') },
      output: { chunkFileNames: '[name]-[hash].js' },
    },
  },
};

export default defineConfig(({ mode }) => ({ pages, cli, server })[mode] ?? pages);
