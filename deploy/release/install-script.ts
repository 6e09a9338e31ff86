import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import manifest from '../../package.json' with { type: 'json' };
import { archives, type DownloadOptions } from './formula.ts';
import { root } from './product.ts';

/** install.sh with what it needs to know of these archives: their addresses, and their checksums, so that it trusts no other file. */
export function installScript(options: DownloadOptions): string {
  const sums = archives(options).map(({ platform, sum }) => `${platform}) sum=${sum} ;;`);
  const values: Record<string, string> = {
    version: manifest.version,
    url: options.url.replace(/\/+$/, ''),
    sums: sums.join('\n    '),
  };
  return readFileSync(join(root, 'deploy/release/install.sh'), 'utf8').replaceAll(
    /@(\w+)@/g,
    (whole, name: string) => values[name] ?? whole,
  );
}
