import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { type Entry, file, filesOf, folder, link, under } from './entries.ts';
import { type Contents, root } from './product.ts';

/**
 * A product as a package of the system has it: in /usr, with the server's settings in /etc.
 *
 * @param zsh where in /usr/share the system's zsh looks for completions
 */
export function systemTree({ product, entries, commands, share }: Contents, zsh = 'zsh/site-functions'): Entry[] {
  const place = `usr/lib/${product.name}`;
  return [
    ...under(
      place,
      entries.filter(({ kind }) => kind !== 'link'),
    ),
    ...commands.map(([name, path]) => link(`usr/bin/${name}`, `${place}/${path}`)),
    ...under('usr/share', share).map((entry) => {
      if (!entry.path.startsWith('usr/share/man/'))
        return { ...entry, path: entry.path.replace('zsh/site-functions', zsh) };
      return file(`${entry.path}.gz`, gzipSync(entry.content ?? '', { level: 9 }));
    }),
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
    { ...file('etc/vouch/vouch.env', readFileSync(join(root, 'deploy/release/vouch.env')), 0o640), settings: true },
  ];
}
