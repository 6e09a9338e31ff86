import { createHash } from 'node:crypto';
import { mkdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gunzipSync } from 'node:zlib';
import { Parser, type ReadEntry } from 'tar';
import { describe, expect, test } from 'vitest';
import { deb } from '../../../deploy/release/deb.ts';
import { complete, type Entry } from '../../../deploy/release/entries.ts';
import { rpm } from '../../../deploy/release/rpm.ts';
import { systemTree } from '../../../deploy/release/system-tree.ts';
import { run, succeed } from '../../support/run.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { freshContents, linkTools, TIME, testContents } from './packages.ts';

const names = ['vouch', 'vouch-server'] as const;
const options = { arch: 'x64', time: TIME } as const;
const sha256 = (content: Buffer) => createHash('sha256').update(content).digest('hex');

describe.each(names)('the .deb of %s', (name) => {
  test('is an ar archive of two tars, in which all belongs to root', async () => {
    const members = await debMembers(name);
    expect(Object.keys(members)).toEqual(['debian-binary', 'control.tar.gz', 'data.tar.gz']);
    expect(members['debian-binary']?.toString()).toBe('2.0\n');
    for (const part of ['control.tar.gz', 'data.tar.gz']) {
      for (const { path, uid, gid, mtime } of await untar(members[part])) {
        expect({ uid, gid, time: Number(mtime) / 1000 }, path).toEqual({ uid: 0, gid: 0, time: TIME });
        expect(path).toMatch(/^\.\//);
      }
    }
  });

  test('has the checksums of its files', async () => {
    const members = await debMembers(name);
    const control = await untar(members['control.tar.gz']);
    const sums = text(control, './md5sums').trim().split('\n');
    const files = (await untar(members['data.tar.gz'])).filter(({ type }) => type === 'File');
    expect(sums).toEqual(
      files.map(({ path, content }) => `${createHash('md5').update(content).digest('hex')}  ${path.slice(2)}`),
    );
  });

  test('is the same when it is made twice', async () => {
    expect(sha256(await deb(freshContents(name), options))).toBe(sha256(await madeOnce(debs, deb, name)));
  });
});

test('the server’s settings are kept at an upgrade, and only root reads them', async () => {
  const members = await debMembers('vouch-server');
  expect(text(await untar(members['control.tar.gz']), './conffiles')).toBe('/etc/vouch/vouch.env\n');
  const settings = (await untar(members['data.tar.gz'])).find(({ path }) => path === './etc/vouch/vouch.env');
  expect(settings?.mode).toBe(0o640);
  const unit = await untar(members['data.tar.gz']);
  expect(text(unit, './usr/lib/systemd/system/vouch-server.service')).toContain('EnvironmentFile=/etc/vouch/vouch.env');
});

test('every script is one that sh can read', async () => {
  const control = await untar((await debMembers('vouch-server'))['control.tar.gz']);
  const scripts = control.filter(({ content }) => content.toString().startsWith('#!/bin/sh\n'));
  expect(scripts.map(({ path, mode }) => [path, mode])).toEqual(
    ['./postinst', './postrm', './prerm'].map((path) => [path, 0o755]),
  );
  const ofRpm = [1024, 1025, 1026].map((tag) => rpmTags('vouch-server').then((tags) => String(tags(tag))));
  for (const script of [...scripts.map(({ content }) => content.toString()), ...(await Promise.all(ofRpm))]) {
    await succeed('sh', ['-n'], { env: { PATH: process.env.PATH ?? '' }, input: script });
    expect(script).not.toContain('# server-installed.sh');
  }
  expect(text(control, './postinst')).toContain('useradd --system');
});

test.each([
  ['made', undefined, 45],
  ['not put in place when no random bytes came', 'exit 1', undefined],
  ['not put in place when too few came', 'echo short', undefined],
])('the master key is %s', async (_, head, size) => {
  const folder = temporaryFolder();
  const bin = join(folder, 'bin');
  mkdirSync(join(folder, 'etc'), { recursive: true });
  mkdirSync(bin);
  linkTools(bin, ['sh', 'base64', 'sync', 'mv', 'rm', 'wc', 'mkdir', ...(head === undefined ? ['head'] : [])]);
  // What takes root.
  const make =
    'case $1 in -d) shift; for last; do :; done; mkdir -p "$last" ;; *) for last; do :; done; : >"$last" ;; esac';
  for (const [program, code] of Object.entries({ id: 'exit 1', useradd: '', install: make, systemctl: '', head })) {
    if (code !== undefined) writeFileSync(join(bin, program), `#!/bin/sh\n${code}\n`, { mode: 0o755 });
  }
  const script = readFileSync('deploy/release/scripts/server-installed.sh', 'utf8')
    .replaceAll('/etc/vouch', join(folder, 'etc'))
    .replaceAll('/var/lib/vouch', join(folder, 'var'));
  const done = await run('sh', ['-e', '-c', script], { env: { PATH: bin } });
  const key = statSync(join(folder, 'etc/master-key'), { throwIfNoEntry: false });
  expect([done.code, key?.size]).toEqual([size === undefined ? 1 : 0, size]);
});

describe.each(names)('the .rpm of %s', (name) => {
  test('says what is in it, and its digests are right', async () => {
    const bytes = await madeOnce(rpms, rpm, name);
    const { signature, header, payload } = rpmParts(bytes);
    const tags = rpmHeaderTags(header);
    const signed = rpmHeaderTags(signature);
    expect(signed(273)).toEqual([sha256(header)]);
    expect(signed(1000)).toEqual([header.length + payload.length]);
    expect(tags(5092)).toEqual([sha256(payload)]);
    expect([tags(1000), tags(1022)]).toEqual([[name], ['x86_64']]);
    const folders = tags(1118);
    const paths = tags(1117).map((base, at) => `${folders[Number(tags(1116)[at])]}${base}`);
    const packed = cpioFiles(gunzipSync(payload));
    expect(packed.map(({ path }) => path.slice(1))).toEqual(paths);
    expect(packed.map(({ kind, content }) => (kind === 0o100000 ? sha256(content) : ''))).toEqual(tags(1035));
    expect(packed.map(({ kind, content }) => (kind === 0o120000 ? content.toString() : ''))).toEqual(tags(1036));
    // Folders of the system are not the package's.
    for (const path of ['/usr', '/usr/bin', '/etc', '/usr/lib/systemd/system']) expect(paths).not.toContain(path);
    const expected = complete(systemTree(testContents(name))).filter(({ kind }) => kind !== 'folder');
    expect(paths).toEqual(expect.arrayContaining(expected.map(({ path }: Entry) => `/${path}`)));
  });

  test('is the same when it is made twice', async () => {
    expect(sha256(await rpm(freshContents(name), options))).toBe(sha256(await madeOnce(rpms, rpm, name)));
  });
});

test('commands in /usr/bin are links that lead to files of the package', () => {
  for (const name of names) {
    const entries = systemTree(testContents(name));
    const links = entries.filter(({ path }) => path.startsWith('usr/bin/'));
    expect(links.length).toBeGreaterThan(0);
    for (const { path, target = '' } of links) {
      const to = entries.find((one) => one.path === join(path, '..', target));
      expect(to).toMatchObject({ kind: 'file', mode: 0o755 });
    }
  }
});

test.each([
  ['vouch', 'man1/vouch.1', 'vouch'],
  ['vouch', 'man1/git-credential-vouch.1', 'vouch'],
  ['vouch-server', 'man8/vouch-server.8', 'vouch-server'],
] as const)('%s has its manual and its completions where the system looks for them', async (name, page, command) => {
  const files = await untar((await debMembers(name))['data.tar.gz']);
  const manual = files.find(({ path }) => path === `./usr/share/man/${page}.gz`)?.content ?? Buffer.alloc(0);
  expect(gunzipSync(manual).toString()).toMatch(/^\.TH /m);
  for (const completion of [
    `bash-completion/completions/${command}`,
    `zsh/vendor-completions/_${command}`,
    `fish/vendor_completions.d/${command}.fish`,
  ]) {
    expect(text(files, `./usr/share/${completion}`)).toContain(command);
  }
});

interface Unpacked {
  path: string;
  type: string;
  mode: number | undefined;
  uid: number | undefined;
  gid: number | undefined;
  mtime: Date | undefined;
  content: Buffer;
}

const debs = new Map<string, Promise<Buffer>>();
const rpms = new Map<string, Promise<Buffer>>();

/** A package, made once for all tests. */
function madeOnce(all: Map<string, Promise<Buffer>>, make: typeof deb, name: (typeof names)[number]): Promise<Buffer> {
  const made = all.get(name) ?? make(testContents(name), options);
  all.set(name, made);
  return made;
}

/** The members of a package's ar archive (deb(5)). */
async function debMembers(name: (typeof names)[number]): Promise<Record<string, Buffer>> {
  const bytes = await madeOnce(debs, deb, name);
  expect(bytes.subarray(0, 8).toString()).toBe('!<arch>\n');
  const members: Record<string, Buffer> = {};
  for (let at = 8; at < bytes.length; ) {
    const head = bytes.subarray(at, at + 60).toString();
    expect(head.slice(58)).toBe('`\n');
    const size = Number(head.slice(48, 58));
    members[head.slice(0, 16).trim()] = bytes.subarray(at + 60, at + 60 + size);
    at += 60 + size + (size % 2);
  }
  return members;
}

async function untar(archive: Buffer = Buffer.alloc(0)): Promise<Unpacked[]> {
  const found: Unpacked[] = [];
  const parser = new Parser({
    onReadEntry(entry: ReadEntry) {
      const chunks: Buffer[] = [];
      entry.on('data', (chunk: Buffer) => chunks.push(chunk));
      entry.on('end', () => {
        const { path, type, mode, uid, gid, mtime } = entry;
        found.push({ path, type, mode, uid, gid, mtime, content: Buffer.concat(chunks) });
      });
    },
  });
  await new Promise<void>((resolve, reject) => {
    parser.on('end', resolve);
    parser.on('error', reject);
    parser.end(archive);
  });
  return found;
}

const text = (entries: readonly Unpacked[], path: string) => String(entries.find((one) => one.path === path)?.content);

/** The two headers and the payload of an RPM package, after its 96 bytes of lead. */
function rpmParts(bytes: Buffer): Record<'signature' | 'header' | 'payload', Buffer> {
  expect(bytes.subarray(0, 4).toString('hex')).toBe('edabeedb');
  const signature = rpmHeaderAt(bytes, 96);
  const header = rpmHeaderAt(bytes, 96 + Math.ceil(signature.length / 8) * 8);
  return { signature, header, payload: bytes.subarray(header.byteOffset - bytes.byteOffset + header.length) };
}

function rpmHeaderAt(bytes: Buffer, at: number): Buffer {
  expect(bytes.subarray(at, at + 4).toString('hex')).toBe('8eade801');
  const length = 16 + bytes.readUInt32BE(at + 8) * 16 + bytes.readUInt32BE(at + 12);
  return bytes.subarray(at, at + length);
}

function rpmHeaderTags(header: Buffer): (tag: number) => (string | number)[] {
  const count = header.readUInt32BE(8);
  const store = header.subarray(16 + count * 16);
  return (tag) => {
    for (let at = 16; at < 16 + count * 16; at += 16) {
      if (header.readUInt32BE(at) !== tag) continue;
      const [type, offset, values] = [4, 8, 12].map((more) => header.readUInt32BE(at + more)) as [
        number,
        number,
        number,
      ];
      if (type === 3) return Array.from({ length: values }, (_, one) => store.readUInt16BE(offset + one * 2));
      if (type === 4) return Array.from({ length: values }, (_, one) => store.readUInt32BE(offset + one * 4));
      return store.subarray(offset).toString().split('\0').slice(0, values);
    }
    return [];
  };
}

async function rpmTags(name: (typeof names)[number]): Promise<(tag: number) => (string | number)[]> {
  return rpmHeaderTags(rpmParts(await madeOnce(rpms, rpm, name)).header);
}

/** The files of an archive of cpio(5). */
function cpioFiles(bytes: Buffer): { path: string; kind: number; content: Buffer }[] {
  const found: { path: string; kind: number; content: Buffer }[] = [];
  const even = (length: number) => Math.ceil(length / 4) * 4;
  for (let at = 0; ; ) {
    const word = (index: number) =>
      Number.parseInt(bytes.subarray(at + 6 + index * 8, at + 14 + index * 8).toString(), 16);
    expect(bytes.subarray(at, at + 6).toString()).toBe('070701');
    const [mode, size, nameSize] = [word(1), word(6), word(11)];
    const path = bytes.subarray(at + 110, at + 110 + nameSize - 1).toString();
    if (path === 'TRAILER!!!') return found;
    const from = at + even(110 + nameSize);
    found.push({ path, kind: mode & 0o170000, content: bytes.subarray(from, from + size) });
    at = from + even(size);
  }
}
