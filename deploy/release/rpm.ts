import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { compress } from './compress.ts';
import type { SystemPackageOptions } from './deb.ts';
import { complete, type Entry, file } from './entries.ts';
import { type Contents, root } from './product.ts';
import { rpmHeader, type Tag } from './rpm-header.ts';
import { systemTree } from './system-tree.ts';

/** Node's architectures as Fedora calls them. */
export const RPM = { x64: 'x86_64', arm64: 'aarch64' } as const;

const KINDS = { file: 0o100000, folder: 0o040000, link: 0o120000 } as const;

/** `<=`, for what rpm itself must understand. */
const RPMLIB = 2 | 8 | (1 << 24);
const AT_LEAST = 4 | 8;
/** Needed by a script after the installation. */
const FOR_SCRIPT = (1 << 8) | (1 << 10);

/** A setting that an upgrade leaves alone. */
const KEPT_SETTING = 1 | (1 << 4);

type Need = [name: string, flags: number, version: string];

/** Names of libraries, and not of packages, because those differ between Fedora and openSUSE. */
const NODE_NEEDS: Need[] = [
  ['libc.so.6(GLIBC_2.28)(64bit)', 0, ''],
  ['libstdc++.so.6(GLIBCXX_3.4.21)(64bit)', 0, ''],
];
const RPM_NEEDS: Need[] = [
  ['rpmlib(CompressedFileNames)', RPMLIB, '3.0.4-1'],
  ['rpmlib(FileDigests)', RPMLIB, '4.6.0-1'],
  ['rpmlib(PayloadFilesHavePrefix)', RPMLIB, '4.0-1'],
];
const NEEDS: Record<string, Need[]> = {
  vouch: [['git-core', AT_LEAST, '2.31']],
  'vouch-server': [
    ['/bin/sh', FOR_SCRIPT, ''],
    ['/usr/sbin/useradd', FOR_SCRIPT, ''],
  ],
};

/**
 * A package for Fedora and its relatives, in the format that every rpm since 4.14 reads
 * (https://rpm.org/docs/4.20.x/manual/format_v4.html). Written here and not by rpmbuild, so that every machine that builds Vouch can
 * make it, and twice the same.
 */
export async function rpm(contents: Contents, { arch, time }: SystemPackageOptions): Promise<Buffer> {
  const { product, version } = contents;
  const { name } = product;
  const doc = `usr/share/doc/${name}`;
  const all = complete([
    ...systemTree(contents),
    file(`usr/share/licenses/${name}/LICENSE`, readFileSync(join(root, 'LICENSE'))),
  ]);
  // Folders of the system are not ours.
  const ours = [`usr/lib/${name}`, `usr/share/licenses/${name}`, doc, 'etc/vouch'];
  const entries = all.filter(
    ({ path, kind }) => kind !== 'folder' || ours.some((place) => path === place || path.startsWith(`${place}/`)),
  );
  const payload = cpio(entries, time);
  const packed = await compress(payload);
  const folders = [...new Set(entries.map(({ path }) => folderOf(path)))];
  const needs = [...RPM_NEEDS, ...NODE_NEEDS, ...(NEEDS[name] ?? [])].toSorted(([a], [b]) => (a < b ? -1 : 1));
  const provides: Need[] = [[name, 8, `${version}-1`]];
  const size = entries.reduce((sum, one) => sum + sizeOf(one), 0);
  const zeros = entries.map(() => 0);
  const header = rpmHeader(63, [
    [100, 'strings', ['C']],
    [1000, 'string', name],
    [1001, 'string', version],
    [1002, 'string', '1'],
    [1004, 'translated', [product.summary]],
    [1005, 'translated', [product.description]],
    [1006, 'int32', [time]],
    [1007, 'string', 'localhost'],
    [1009, 'int32', [size]],
    [1014, 'string', 'Apache-2.0'],
    [1016, 'translated', ['Unspecified']],
    [1021, 'string', 'linux'],
    [1022, 'string', RPM[arch]],
    ...(name === 'vouch-server' ? serversScripts() : []),
    [1028, 'int32', entries.map(sizeOf)],
    [1030, 'int16', entries.map(({ kind, mode }) => KINDS[kind] | mode)],
    [1033, 'int16', zeros],
    [1034, 'int32', entries.map(() => time)],
    [1035, 'strings', entries.map(({ kind, content = Buffer.alloc(0) }) => (kind === 'file' ? sha256(content) : ''))],
    [1036, 'strings', entries.map(({ target = '' }) => target)],
    [1037, 'int32', entries.map(({ settings }) => (settings === true ? KEPT_SETTING : 0))],
    [1039, 'strings', entries.map(() => 'root')],
    [1040, 'strings', entries.map(() => 'root')],
    [1044, 'string', `${name}-${version}-1.src.rpm`],
    [1045, 'int32', entries.map(() => -1)],
    [1047, 'strings', provides.map(([what]) => what)],
    [1048, 'int32', needs.map(([, flags]) => flags)],
    [1049, 'strings', needs.map(([what]) => what)],
    [1050, 'strings', needs.map(([, , which]) => which)],
    [1064, 'string', '4.14.0'],
    [1095, 'int32', entries.map(() => 1)],
    [1096, 'int32', entries.map((_, at) => at + 1)],
    [1097, 'strings', entries.map(() => '')],
    [1112, 'int32', provides.map(([, flags]) => flags)],
    [1113, 'strings', provides.map(([, , which]) => which)],
    [1116, 'int32', entries.map(({ path }) => folders.indexOf(folderOf(path)))],
    [1117, 'strings', entries.map(({ path }) => posix.basename(path))],
    [1118, 'strings', folders],
    [1124, 'string', 'cpio'],
    [1125, 'string', 'gzip'],
    [1126, 'string', '6'],
    [5011, 'int32', [8]],
    [5062, 'string', 'utf-8'],
    [5092, 'strings', [sha256(packed)]],
    [5093, 'int32', [8]],
    [5097, 'strings', [sha256(payload)]],
  ]);
  const signed = Buffer.concat([header, packed]);
  const signature = rpmHeader(62, [
    [269, 'string', createHash('sha1').update(header).digest('hex')],
    [273, 'string', sha256(header)],
    [1000, 'int32', [signed.length]],
    [1004, 'bytes', createHash('md5').update(signed).digest()],
    [1007, 'int32', [payload.length]],
  ]);
  const gap = Buffer.alloc((8 - (signature.length % 8)) % 8);
  return Buffer.concat([lead(`${name}-${version}-1`, arch), signature, gap, signed]);
}

/** The first 96 bytes, which only tell `file` what this is. */
function lead(name: string, arch: keyof typeof RPM): Buffer {
  const bytes = Buffer.alloc(96);
  bytes.write('edabeedb0300', 'hex');
  bytes.writeUInt16BE(arch === 'x64' ? 1 : 19, 8);
  bytes.write(name.slice(0, 65), 10);
  bytes.writeUInt16BE(1, 76);
  bytes.writeUInt16BE(5, 78);
  return bytes;
}

/** What is run as the server comes and goes. Their $1 is the number of versions that are then installed. */
function serversScripts(): Tag[] {
  const read = (name: string) => readFileSync(join(root, 'deploy/release/scripts', name), 'utf8');
  return [
    [1024, 'string', `set -e\n${read('server-installed.sh')}${read('rpm-server-post.sh')}`],
    [1025, 'string', read('rpm-server-preun.sh')],
    [1026, 'string', read('rpm-server-postun.sh')],
    [1086, 'strings', ['/bin/sh']],
    [1087, 'strings', ['/bin/sh']],
    [1088, 'strings', ['/bin/sh']],
  ];
}

/** The files, as cpio(5) has them in its newest ASCII format. */
function cpio(entries: readonly Entry[], time: number): Buffer {
  const none = Buffer.alloc(0);
  const parts = entries.flatMap(({ path, kind, mode, content, target }, at) => {
    const data = content ?? (target === undefined ? none : Buffer.from(target));
    return [
      ...cpioHead(`./${path}`, { ino: at + 1, mode: KINDS[kind] | mode, time, size: data.length }),
      data,
      gapAfter(data.length),
    ];
  });
  return Buffer.concat([...parts, ...cpioHead('TRAILER!!!', { ino: 0, mode: 0, time: 0, size: 0 })]);
}

function cpioHead(path: string, { ino, mode, time, size }: Record<'ino' | 'mode' | 'time' | 'size', number>): Buffer[] {
  const name = Buffer.from(`${path}\0`);
  const words = [ino, mode, 0, 0, 1, time, size, 0, 0, 0, 0, name.length, 0];
  const head = Buffer.from(`070701${words.map((word) => word.toString(16).padStart(8, '0')).join('')}`);
  return [head, name, gapAfter(head.length + name.length)];
}

const gapAfter = (length: number) => Buffer.alloc((4 - (length % 4)) % 4);
const folderOf = (path: string) => `/${posix.dirname(path)}/`;
const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');

function sizeOf({ kind, content, target }: Entry): number {
  return kind === 'file' ? (content?.length ?? 0) : kind === 'link' ? Buffer.byteLength(target ?? '') : 4096;
}
