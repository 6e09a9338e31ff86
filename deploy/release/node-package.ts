import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { Parser, type ReadEntry } from 'tar';
import { file } from './entries.ts';
import pinned from './node-packages.json' with { type: 'json' };
import type { BundledNode } from './product.ts';

/** What we make packages for. */
export type Platform = keyof typeof pinned;
export const platforms = Object.keys(pinned) as Platform[];

/**
 * Node for a platform, from npm: node-packages.json says which package, which version, and its SHA-512.
 *
 * @param cache the folder where downloads are kept; they are checked again each time
 * @throws Error when the package is not the pinned one
 */
export async function nodeFor(platform: Platform, cache: string): Promise<BundledNode> {
  const { name, version, integrity } = pinned[platform];
  const path = join(cache, `${name}-${version}.tgz`);
  if (!existsSync(path)) {
    mkdirSync(cache, { recursive: true });
    await promisify(execFile)('npm', ['pack', `${name}@${version}`, '--silent', '--pack-destination', cache]);
  }
  const packed = readFileSync(path);
  const found = `sha512-${createHash('sha512').update(packed).digest('base64')}`;
  if (found !== integrity) {
    rmSync(path);
    throw new Error(`${name}@${version} is not the package that deploy/release/node-packages.json names: ${found}`);
  }
  const read = await contentsOf(packed, ['package/bin/node', 'package/LICENSE']);
  return {
    version,
    package: { name, integrity },
    files: [file('node', read('package/bin/node'), 0o755), file('LICENSE', read('package/LICENSE'))],
  };
}

/** Some files of an npm package. */
async function contentsOf(packed: Buffer, paths: readonly string[]): Promise<(path: string) => Buffer> {
  const contents = new Map<string, Buffer>();
  const parser = new Parser({
    filter: (path) => paths.includes(path),
    onReadEntry(entry: ReadEntry) {
      const chunks: Buffer[] = [];
      entry.on('data', (chunk: Buffer) => chunks.push(chunk));
      entry.on('end', () => contents.set(entry.path, Buffer.concat(chunks)));
    },
  });
  await new Promise<void>((resolve, reject) => {
    parser.on('end', resolve);
    parser.on('error', reject);
    parser.end(packed);
  });
  return (path) => {
    const content = contents.get(path);
    if (content === undefined) throw new Error(`There is no ${path} in the package.`);
    return content;
  };
}
