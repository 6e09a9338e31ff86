/** `npm run package`: CONTRIBUTING.md explains it. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { Command, InvalidArgumentError, Option } from 'commander';
import { archive } from './archive.ts';
import { DEBIAN, deb } from './deb.ts';
import { formula } from './formula.ts';
import { installScript } from './install-script.ts';
import { nodeFor, type Platform, platforms } from './node-package.ts';
import { contentsOf, products, root } from './product.ts';
import { RPM, rpm } from './rpm.ts';
import { lockedBom } from './sbom.ts';

interface Options {
  platform: Platform[];
  to: string;
  url: string;
}

const program = new Command('package')
  .description('Makes the packages of what is in dist/, with Node, for every platform.')
  .addOption(new Option('--platform <name...>', 'only these').choices(platforms).default(platforms))
  .option('--to <folder>', 'where they go', join(root, 'packages'))
  .option('--url <address>', 'where people will download them', checkedUrl, 'https://vouch.example.com/packages')
  .action(make);
await program.parseAsync();

async function make({ platform: wanted, to: folder, url }: Options): Promise<void> {
  const to = resolve(folder);
  const time = Number(process.env.SOURCE_DATE_EPOCH ?? git('log', '-1', '--format=%ct'));
  if (!Number.isSafeInteger(time)) throw new Error('SOURCE_DATE_EPOCH is no number of seconds.');
  const bom = lockedBom(root);
  const sums = new Map<string, string>();
  const write = (name: string, content: Buffer | string) => {
    writeFileSync(join(to, name), content);
    sums.set(name, createHash('sha256').update(content).digest('hex'));
    process.stdout.write(`${name}\n`);
  };

  mkdirSync(to, { recursive: true });
  for (const platform of wanted) {
    const node = await nodeFor(platform, join(to, '.node'));
    const [system, arch] = platform.split('-') as ['linux' | 'darwin', keyof typeof DEBIAN];
    for (const product of products) {
      // A server on a Mac is for trying out: npm installs it.
      if (product.name === 'vouch-server' && system === 'darwin') continue;
      const contents = contentsOf(product, { node, lockedBom: bom, time });
      const name = `${product.name}-${contents.version}-${platform}`;
      write(`${name}.tar.gz`, await archive(contents, name, time));
      write(`${name}.cdx.json`, contents.bom);
      if (system !== 'linux') continue;
      const file = `${product.name}_${contents.version}_${DEBIAN[arch]}.deb`;
      write(file, await deb(contents, { arch, time }));
      write(`${product.name}-${contents.version}-1.${RPM[arch]}.rpm`, await rpm(contents, { arch, time }));
    }
  }
  write('install.sh', installScript({ sums, url }));
  write('vouch.rb', formula({ sums, url }));
  const lines = [...sums].sort(([a], [b]) => (a < b ? -1 : 1)).map(([name, sum]) => `${sum}  ${name}\n`);
  writeFileSync(join(to, 'SHA256SUMS'), lines.join(''));
  process.stdout.write(`SHA256SUMS\nThey are in ${to}\n`);
}

/** An address that means the same in a shell's and in Ruby's quotes. */
function checkedUrl(address: string): string {
  if (!/^https?:\/\/[\w.:[\]-]+[\w.~/?&=%+:@-]*$/.test(address))
    throw new InvalidArgumentError('It is not one of a server.');
  return address;
}

function git(...args: string[]): string {
  return execFileSync('git', args, { cwd: root, encoding: 'utf8' }).trim();
}
