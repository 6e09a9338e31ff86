import { existsSync, readFileSync } from 'node:fs';
import { dirname, join, posix, relative } from 'node:path';
import manifest from '../../package.json' with { type: 'json' };
import { type Entry, filesOf } from './entries.ts';

/** A package that ours contains. */
export interface Module {
  name: string;
  version: string;
  /** Its licence, as an SPDX identifier. */
  identifier: string;
  /** The licence's text, if the package has it. */
  text: string;
}

/** A package in node_modules. */
export interface Installed extends Module {
  /** Its folder, relative to ours. */
  folder: string;
}

/** The dependencies of ours that built code loads from node_modules while it runs. */
export function loadedBy(sources: readonly string[]): string[] {
  const all = sources.join('\n');
  return Object.keys(manifest.dependencies).filter((name) =>
    new RegExp(`(?:\\bfrom|\\bimport|\\brequire)\\s*\\(?\\s*["']${name}(?:/[^"']*)?["']`).test(all),
  );
}

interface Manifest {
  name: string;
  version: string;
  license?: string | { type: string };
  dependencies?: Record<string, string>;
  optionalDependencies?: Record<string, string>;
  peerDependencies?: Record<string, string>;
}

/** Packages of node_modules with all that they depend on, each where it is installed. */
export function withDependencies(root: string, names: readonly string[]): Installed[] {
  const found = new Map<string, Installed>();
  const add = (name: string, from: string, needed: boolean) => {
    const place = placeOf(name, from, root);
    if (place === undefined) {
      if (needed) throw new Error(`${name} is not installed.`);
      return;
    }
    const folder = relative(root, place);
    if (found.has(folder)) return;
    const its = JSON.parse(readFileSync(join(place, 'package.json'), 'utf8')) as Manifest;
    const license = typeof its.license === 'object' ? its.license.type : its.license;
    found.set(folder, {
      folder,
      name: its.name,
      version: its.version,
      identifier: license ?? 'unknown',
      text: licenceText(place),
    });
    for (const one of Object.keys(its.dependencies ?? {})) add(one, place, true);
    // Of these, what npm has installed.
    for (const one of Object.keys({ ...its.optionalDependencies, ...its.peerDependencies })) add(one, place, false);
  };
  for (const name of names) add(name, root, true);
  return [...found.values()];
}

/** Where Node finds a package: in the nearest node_modules. */
function placeOf(name: string, from: string, root: string): string | undefined {
  for (let at = from; ; at = dirname(at)) {
    const place = join(at, 'node_modules', name);
    if (existsSync(join(place, 'package.json'))) return place;
    if (at === root) return undefined;
  }
}

function licenceText(place: string): string {
  const [first] = filesOf(place, '', (path) => /^(licen[cs]e|copying)([.-][^/]*)?$/i.test(path));
  return first?.content?.toString().trim() ?? '';
}

/**
 * The files of packages, without what no program loads: types, maps from compiled code to its source, what their developers test, and
 * what they write for each other.
 */
export function moduleFiles(root: string, modules: readonly Installed[]): Entry[] {
  const keep = (path: string) =>
    !/(^|\/)node_modules\//.test(path) &&
    !/^(test|tests|docs|examples|benchmarks|bench|coverage)\//.test(path) &&
    !/(^|\/)\./.test(path) &&
    !/\.(map|ts|mts|cts|tsbuildinfo)$/.test(path) &&
    (!/\.(md|markdown)$/i.test(path) || /(^|\/)(licen[cs]e|notice|copying)/i.test(path));
  return modules.flatMap(({ folder }) => filesOf(join(root, folder), posix.join(folder), keep));
}
