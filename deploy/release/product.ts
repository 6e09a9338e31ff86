import { globSync, readFileSync } from 'node:fs';
import { basename, join, posix, resolve } from 'node:path';
import manifest from '../../package.json' with { type: 'json' };
import { type Program, type ProgramName, programs } from '../../programs.ts';
import { type Entry, file, filesOf, link, under } from './entries.ts';
import { type Installed, loadedBy, type Module, moduleFiles, withDependencies } from './modules.ts';
import { withOwnNode } from './own-node.ts';
import { bomOf } from './sbom.ts';

/** The repository. */
export const root = resolve(import.meta.dirname, '../..');

/** The Node that a package brings. */
export interface BundledNode {
  version: string;
  /** Where it comes from. */
  package?: { name: string; integrity: string };
  /** `node` and its `LICENSE`. */
  files: Entry[];
}

/** What we make packages of. */
export interface Product {
  name: 'vouch' | 'vouch-server';
  /** One line. */
  summary: string;
  description: string;
  /** Folders of `dist` that belong to it. */
  built: readonly string[];
  /** What people and other programs start by name. */
  commands: readonly ProgramName[];
  /** Files of the repository that belong to it. */
  files: readonly string[];
}

export const products: readonly Product[] = [
  {
    name: 'vouch',
    summary: 'Sign in once a day with a security key, and use Git with AWS CodeCommit',
    description:
      'A touch of your security key gives you a session of 8 hours. An agent holds it in memory, and gives Git what AWS CodeCommit asks for. Nothing secret is on the disk.',
    built: ['cli'],
    commands: ['vouch', 'git-credential-vouch', 'git-remote-codecommit'],
    files: [
      'cli/git-credential-vouch/git-credential-vouch',
      'cli/prompt/session.sh',
      'cli/prompt/init.bash',
      'cli/prompt/init.fish',
      'cli/prompt/init.zsh',
    ],
  },
  {
    name: 'vouch-server',
    summary: 'Identity server that signs people in with security keys, for AWS',
    description:
      "A WebAuthn relying party and OpenID provider: people sign in with security keys, and AWS trusts it as an OpenID Connect provider. It is a team's own; `vouch` is its other half.",
    built: ['server', 'web'],
    commands: ['vouch-server'],
    files: [],
  },
];

/** A product for one platform: what is in all of its packages. */
export interface Contents {
  product: Product;
  version: string;
  /** All that is in the product's own folder. */
  entries: Entry[];
  /** The commands, and the files in that folder that they are. */
  commands: [name: string, path: string][];
  /** Manual and completion, as they are placed in /usr/share. */
  share: Entry[];
  /** The list of contents (CycloneDX). */
  bom: string;
}

export interface ContentsOptions {
  node: BundledNode;
  /** npm's list of what package-lock.json names. */
  lockedBom: string;
  /** Seconds since 1970. */
  time: number;
  version?: string;
}

/** Puts a product together from `dist` and `node_modules`, which must be there. */
export function contentsOf(
  product: Product,
  { node, lockedBom, time, version = manifest.version }: ContentsOptions,
): Contents {
  const built = product.built.flatMap((part) =>
    filesOf(join(root, 'dist', part), `dist/${part}`, (path) => basename(path) !== 'licenses.json'),
  );
  const code = built.filter(({ path }) => /\.c?js$/.test(path) && !path.startsWith('dist/web/'));
  const inside = product.built.flatMap(bundled);
  // Comments of bundled packages import those packages too.
  const loaded = loadedBy(code.map(({ content }) => String(content))).filter(
    (name) => !inside.some((one) => one.name === name),
  );
  const installed = withDependencies(root, loaded);
  const modules = distinct([...inside, ...installed]);
  const bom = bomOf(lockedBom, { name: product.name, version, modules, node, time });
  const commands = product.commands.map((name): [string, string] => {
    const program: Program = programs[name];
    return [name, program.command ?? program.built];
  });
  const isCommand = (path: string) => commands.some(([, command]) => command === path);
  const starts = new Set<string>(Object.values(programs).map((program) => program.built));
  return {
    product,
    version,
    commands,
    bom,
    share: share(product),
    entries: [
      ...[...built, ...product.files.map((path) => file(path, readFileSync(join(root, path))))].map((entry) => ({
        ...entry,
        mode: isCommand(entry.path) ? 0o755 : 0o644,
        ...(isCommand(entry.path) && starts.has(entry.path) && { content: startedByOwnNode(entry) }),
      })),
      ...moduleFiles(root, installed),
      ...under('node', node.files),
      ...commands.map(([name, path]) => link(`bin/${name}`, path)),
      file('package.json', packageJson(product, version)),
      file('LICENSE', readFileSync(join(root, 'LICENSE'))),
      file('THIRD-PARTY-LICENSES.txt', licences(modules)),
      file('sbom.cdx.json', bom),
    ],
  };
}

/** Where shells look for completions, in a folder of the system's or of a person's own. */
const COMPLETIONS = {
  bash: 'bash-completion/completions',
  zsh: 'zsh/site-functions',
  fish: 'fish/vendor_completions.d',
};

function share({ name, commands }: Product): Entry[] {
  const isOurs = (path: string) => commands.includes(path.replace(/\.\d$/, '') as ProgramName);
  const pages = filesOf(join(root, 'dist/man'), '', isOurs);
  const completions = Object.entries(COMPLETIONS).flatMap(([shell, place]) =>
    filesOf(join(root, 'dist/completions', shell), place, (path) => [name, `_${name}`, `${name}.fish`].includes(path)),
  );
  return [...pages.map((page) => ({ ...page, path: `man/man${page.path.at(-1)}/${page.path}` })), ...completions];
}

function startedByOwnNode({ path, content }: Entry): Buffer {
  return Buffer.from(withOwnNode(String(content), posix.relative(posix.dirname(path), 'node/node')));
}

/** What Vite has put into the files of a folder of dist. */
function bundled(part: string): Module[] {
  const lists = globSync(`dist/${part}/**/licenses.json`, { cwd: root });
  if (lists.length === 0) throw new Error(`There is no list of licences in dist/${part}: run \`npm run build\`.`);
  return lists.flatMap((list) => {
    const entries = JSON.parse(readFileSync(join(root, list), 'utf8')) as (Omit<Module, 'text'> & { text?: string })[];
    return entries.map((one) => ({ ...one, text: one.text ?? '' }));
  });
}

function distinct(modules: readonly (Module | Installed)[]): Module[] {
  const byName = new Map(modules.map((one) => [`${one.name}@${one.version}`, one]));
  return [...byName.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, one]) => one);
}

/** Node reads from it that the server's files are modules. */
function packageJson({ name, summary }: Product, version: string): string {
  const { license, type } = manifest;
  return `${JSON.stringify({ name, version, description: summary, license, private: true, type }, null, 2)}\n`;
}

function licences(modules: readonly Module[]): string {
  const line = '-'.repeat(78);
  const parts = modules.map(({ name, version, identifier, text }) => {
    const whose = `${name} ${version} (${identifier})`;
    return text === '' ? whose : `${whose}\n\n${text}`;
  });
  return ['This package contains Node.js, whose licence is in node/LICENSE, and these packages:', ...parts, ''].join(
    `\n\n${line}\n\n`,
  );
}
