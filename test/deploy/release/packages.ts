import { realpathSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath } from '../../../cli/files/on-path.ts';
import { type Entry, file } from '../../../deploy/release/entries.ts';
import { type Contents, contentsOf, products, root } from '../../../deploy/release/product.ts';
import { lockedBom } from '../../../deploy/release/sbom.ts';

/** The time of every file in the packages of tests. */
export const TIME = 1_796_000_000;

/** Stands in for the Node of a package: a link to the Node that runs this, because that has more than 100 MB. */
const node: Entry[] = [
  { path: 'node', kind: 'link', mode: 0o777, target: realpathSync(process.execPath) },
  file('LICENSE', 'Node.js is licensed for use as follows: …\n'),
];

type Name = (typeof products)[number]['name'];

let locked: string | undefined;
const made = new Map<Name, Contents>();

/** What is in the packages of a product. */
export function testContents(name: Name): Contents {
  const contents = made.get(name) ?? freshContents(name);
  made.set(name, contents);
  return contents;
}

/** The same, put together anew. */
export function freshContents(name: Name): Contents {
  const product = products.find((one) => one.name === name);
  if (product === undefined) throw new Error(`There is no product ${name}.`);
  locked ??= lockedBom(root);
  return contentsOf(product, { node: { version: process.versions.node, files: node }, lockedBom: locked, time: TIME });
}

/** Puts links to programs of this machine, those that it has, into a folder for PATH. */
export function linkTools(bin: string, names: readonly string[]): void {
  for (const name of names) {
    const [file] = findOnPath(name, process.env);
    if (file !== undefined) symlinkSync(file, join(bin, name));
  }
}
