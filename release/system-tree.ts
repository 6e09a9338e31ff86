import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Entry, file, filesOf, folder, link, under } from './entries.ts';
import { type Contents, root } from './product.ts';

/** Where completions are looked for, by shell (Debian's and Fedora's places are the same). */
const COMPLETIONS: Record<string, (command: string) => string> = {
  bash: (command) => `usr/share/bash-completion/completions/${command}`,
  zsh: (command) => `usr/share/zsh/vendor-completions/_${command}`,
  fish: (command) => `usr/share/fish/vendor_completions.d/${command}.fish`,
};

/** A product as a package of the system has it: in /usr, with the server's settings in /etc. */
export function systemTree({ product, entries, commands, manPages, completions }: Contents): Entry[] {
  const place = `usr/lib/${product.name}`;
  return [
    ...under(
      place,
      entries.filter(({ kind }) => kind !== 'link'),
    ),
    ...commands.map(([name, path]) => link(`usr/bin/${name}`, `${place}/${path}`)),
    ...manPages.map(({ path, content = Buffer.alloc(0) }) =>
      file(`usr/share/man/man${path.at(-1)}/${path}.gz`, gzipSync(content, { level: 9 })),
    ),
    ...completions.map(({ path, content = Buffer.alloc(0) }) => file(COMPLETIONS[path]?.(product.name) ?? '', content)),
    ...filesOf(join(root, 'docs'), `usr/share/doc/${product.name}`),
    file(`usr/share/doc/${product.name}/CHANGELOG.md`, readFileSync(join(root, 'CHANGELOG.md'))),
    ...(product.name === 'vouch-server' ? serversFiles() : []),
  ];
}

/** The server's unit, and its settings, which only root reads: a database's address may contain a password. */
function serversFiles(): Entry[] {
  return [
    file(
      'usr/lib/systemd/system/vouch-server.service',
      readFileSync(join(root, 'deploy/systemd/vouch-server.service')),
    ),
    folder('etc/vouch'),
    { ...file('etc/vouch/vouch.env', readFileSync(join(root, 'release/vouch.env')), 0o640), settings: true },
  ];
}
