import { Header } from 'tar';
import { compress } from './compress.ts';
import type { Entry } from './entries.ts';

const BLOCK = 512;
const TYPES = { file: 'File', folder: 'Directory', link: 'SymbolicLink' } as const;

export interface TarOptions {
  /** Every entry's time, in seconds since 1970. */
  time: number;
  /** What each path begins with, such as `./`. */
  prefix: string;
}

/**
 * A tar archive, compressed. The same entries give the same bytes: no names of users, and no times of ours.
 *
 * @throws Error when a path is too long for the plain format (ustar): dpkg reads no other that has longer ones from everybody
 */
export async function tarGz(entries: readonly Entry[], { time, prefix }: TarOptions): Promise<Buffer> {
  const parts = entries.flatMap(({ path, kind, mode, content = Buffer.alloc(0), target }) => {
    const head = Buffer.alloc(BLOCK);
    const tooLong = new Header({
      path: prefix + path + (kind === 'folder' ? '/' : ''),
      type: TYPES[kind],
      mode,
      uid: 0,
      gid: 0,
      uname: 'root',
      gname: 'root',
      size: content.length,
      mtime: new Date(time * 1000),
      ...(target !== undefined && { linkpath: target }),
    }).encode(head);
    if (tooLong || Buffer.byteLength(target ?? '') > 100) throw new Error(`${path} does not fit into a tar header.`);
    return [head, content, Buffer.alloc((BLOCK - (content.length % BLOCK)) % BLOCK)];
  });
  // Two empty blocks end an archive.
  return compress(Buffer.concat([...parts, Buffer.alloc(2 * BLOCK)]));
}
