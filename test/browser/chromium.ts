import { execFile } from 'node:child_process';
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import chromium from '@sparticuz/chromium';

const run = promisify(execFile);
const cache = resolve(import.meta.dirname, '../../node_modules/.cache/vouch-chromium');

let unpacked: Promise<string> | undefined;

/** The folder that holds the browser, as `chromium`. Each version is unpacked once, into this package's cache. */
export function unpackedChromium(): Promise<string> {
  unpacked ??= unpack();
  return unpacked;
}

async function unpack(): Promise<string> {
  const manifest = fileURLToPath(new URL('../../package.json', import.meta.resolve('@sparticuz/chromium')));
  const { version } = JSON.parse(await readFile(manifest, 'utf8')) as { version: string };
  const home = join(cache, version);
  if (await exists(home)) return home;

  await mkdir(cache, { recursive: true, mode: 0o700 });
  await removeAbandoned();
  // Another process may be unpacking too: each uses its own folder, and the first rename wins.
  const mine = await mkdtemp(join(cache, 'unpacking-'));
  try {
    await unpackInto(mine);
    await writeFile(join(mine, 'fonts', 'fonts.conf'), fontsConfiguration(join(home, 'fonts')));
    await rename(mine, home).catch(async (error: NodeJS.ErrnoException) => {
      if (!(error.code === 'ENOTEMPTY' || error.code === 'EEXIST')) throw error;
    });
  } finally {
    await rm(mine, { recursive: true, force: true });
  }
  return home;
}

/**
 * The package unpacks into os.tmpdir(), and its shared libraries only on AWS Lambda. It reads both variables before it first
 * waits: set for that one synchronous call, nobody else sees them.
 */
function unpackInto(folder: string): Promise<string> {
  const before = { TMPDIR: process.env.TMPDIR, AWS_EXECUTION_ENV: process.env.AWS_EXECUTION_ENV };
  process.env.TMPDIR = folder;
  process.env.AWS_EXECUTION_ENV = 'AWS_Lambda_nodejs24.x';
  try {
    return chromium.executablePath();
  } finally {
    for (const [name, value] of Object.entries(before)) {
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  }
}

/** The package's own file points to folders of AWS Lambda. */
const fontsConfiguration = (folder: string) => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${folder}</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
`;

/** Removes what killed processes left half unpacked. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(cache)) {
    if (!name.startsWith('unpacking-')) continue;
    const path = join(cache, name);
    const age = Date.now() - (await stat(path).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs;
    if (age > 15 * 60_000) await rm(path, { recursive: true, force: true });
  }
}

/** Variables that point to the package's libraries and fonts, if the system has none. */
export async function libraryPaths(home: string): Promise<NodeJS.ProcessEnv> {
  const fonts = (await exists('/etc/fonts/fonts.conf')) ? {} : { FONTCONFIG_PATH: join(home, 'fonts') };
  try {
    await run(join(home, 'chromium'), ['--version']);
    return fonts;
  } catch {
    const own = join(home, 'al2023', 'lib');
    const inherited = process.env.LD_LIBRARY_PATH;
    return { ...fonts, LD_LIBRARY_PATH: inherited ? `${own}:${inherited}` : own };
  }
}

async function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
