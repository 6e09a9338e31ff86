import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { complete, type Entry, file } from './entries.ts';
import { type Contents, root } from './product.ts';
import { systemTree } from './system-tree.ts';
import { tarGz } from './tar.ts';

/** Node's architectures as Debian calls them. */
export const DEBIAN = { x64: 'amd64', arm64: 'arm64' } as const;

export interface SystemPackageOptions {
  arch: keyof typeof DEBIAN;
  /** Every file's time, in seconds since 1970. */
  time: number;
}

/** What must be there. Node needs the libraries; Git's lower versions lack what our helper asks for (docs/getting-started.md). */
const DEPENDS = {
  vouch: 'git (>= 1:2.31), libc6 (>= 2.28), libstdc++6 (>= 5), libgcc-s1',
  'vouch-server': 'passwd, libc6 (>= 2.28), libstdc++6 (>= 5), libgcc-s1',
};

/**
 * A package for Debian and what descends from it (deb(5)): an `ar` archive of two compressed tar archives. Written here and not by
 * dpkg-deb, so that every machine that builds Vouch can make it.
 */
export async function deb(contents: Contents, { arch, time }: SystemPackageOptions): Promise<Buffer> {
  const { product, version } = contents;
  const doc = `usr/share/doc/${product.name}`;
  const entries = complete([
    ...systemTree(contents, 'zsh/vendor-completions'),
    file(`${doc}/copyright`, copyright(product.name)),
  ]);
  const files = entries.filter(({ kind }) => kind === 'file');
  const size = files.reduce((sum, { content }) => sum + Math.ceil((content?.length ?? 0) / 1024), entries.length);
  const control = fields({
    Package: product.name,
    Version: version,
    Architecture: DEBIAN[arch],
    Maintainer: 'The Vouch maintainers <maintainers@users.noreply.vouch.example>',
    'Installed-Size': String(size),
    Depends: DEPENDS[product.name],
    Section: product.name === 'vouch' ? 'vcs' : 'net',
    Priority: 'optional',
    Description: `${product.summary}\n${wrapped(product.description)}`,
  });
  const settings = entries.filter(({ settings }) => settings === true).map(({ path }) => `/${path}\n`);
  const information = complete([
    file('control', control),
    file('md5sums', files.map(({ path, content = '' }) => `${md5(content)}  ${path}\n`).join('')),
    ...(settings.length > 0 ? [file('conffiles', settings.join(''))] : []),
    ...(product.name === 'vouch-server' ? serversScripts() : []),
  ]);
  const tar = { time, prefix: './' };
  return ar(time, [
    ['debian-binary', Buffer.from('2.0\n')],
    ['control.tar.gz', await tarGz(information, tar)],
    ['data.tar.gz', await tarGz(entries, tar)],
  ]);
}

/** The maintainer scripts (Debian Policy, chapter 6). */
function serversScripts(): Entry[] {
  const read = (name: string) => readFileSync(join(root, 'deploy/release/scripts', name), 'utf8');
  const installed = read('server-installed.sh').replaceAll(/^(?=.)/gm, '    ');
  return [
    file(
      'postinst',
      read('deb-server-postinst.sh').replace('    # server-installed.sh\n', () => installed),
      0o755,
    ),
    file('prerm', read('deb-server-prerm.sh'), 0o755),
    file('postrm', read('deb-server-postrm.sh'), 0o755),
  ];
}

const fields = (all: Record<string, string>) =>
  Object.entries(all)
    .map(([name, value]) => `${name}: ${value}\n`)
    .join('');

/** A description's further lines (Debian Policy, 5.6.13). */
const wrapped = (text: string) => text.replaceAll(/(.{1,76})(?: |$)/g, ' $1\n').trimEnd();

const md5 = (content: Buffer | string) => createHash('md5').update(content).digest('hex');

const copyright = (
  name: string,
) => `Vouch is licensed under the Apache License 2.0: /usr/share/common-licenses/Apache-2.0

This package also contains Node.js and packages of npm. Their licences are in
/usr/lib/${name}/node/LICENSE and /usr/lib/${name}/THIRD-PARTY-LICENSES.txt.
`;

/** An `ar` archive (deb(5)): for each file a head of 60 characters, and its bytes up to an even number. */
function ar(time: number, members: readonly [name: string, content: Buffer][]): Buffer {
  const parts = members.flatMap(([name, content]) => {
    const words: [string | number, number][] = [
      [name, 16],
      [time, 12],
      [0, 6],
      [0, 6],
      ['100644', 8],
      [content.length, 10],
    ];
    const head = `${words.map(([word, width]) => String(word).padEnd(width)).join('')}\`\n`;
    return [Buffer.from(head), content, Buffer.from(content.length % 2 === 1 ? '\n' : '')];
  });
  return Buffer.concat([Buffer.from('!<arch>\n'), ...parts]);
}
