import { execFile } from 'node:child_process';
import { rmSync } from 'node:fs';
import { access, mkdir, mkdtemp, readdir, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import chromium from '@sparticuz/chromium';
import puppeteer, { type Browser, type Page, type Protocol } from 'puppeteer-core';

const run = promisify(execFile);
const cache = resolve(import.meta.dirname, '../../node_modules/.cache/vouch-chromium');

export interface LaunchOptions {
  /** Where the browser's own throw-away folder is made. The system's temporary folder by default. */
  folder?: string;
  /** Flags besides the usual ones. */
  args?: readonly string[];
}

export interface LaunchedBrowser extends AsyncDisposable {
  readonly browser: Browser;
  /** Ends the browser and removes its folder. Safe to call twice. */
  close(): Promise<void>;
}

/**
 * A real Chromium, headless, that speaks to nobody but the pages it is given. Everything it writes is in one folder
 * that is removed on close. It is driven over a pipe: no port is open, and it ends when this process does.
 */
export async function launchBrowser(options: LaunchOptions = {}): Promise<LaunchedBrowser> {
  const home = await unpackedChromium();
  const folder = await mkdtemp(join(options.folder ?? tmpdir(), 'browser-'));
  const remove = () => rm(folder, { recursive: true, force: true, maxRetries: 5 });
  try {
    const executablePath = join(home, 'chromium');
    const env = {
      ...process.env,
      HOME: folder,
      TMPDIR: folder,
      XDG_CONFIG_HOME: folder,
      XDG_CACHE_HOME: folder,
      ...(await libraries(home, executablePath)),
    };
    const browser = await puppeteer.launch({
      executablePath,
      headless: 'shell',
      pipe: true,
      userDataDir: join(folder, 'profile'),
      env,
      handleSIGINT: false,
      handleSIGTERM: false,
      handleSIGHUP: false,
      args: [
        '--no-sandbox',
        '--no-first-run',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--disable-quic',
        '--disable-gpu',
        ...(options.args ?? []),
      ],
    });
    // Where the process ends without a close, at least nothing stays behind.
    const abandon = () => {
      browser.process()?.kill('SIGKILL');
      rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
    };
    process.once('exit', abandon);
    let closed: Promise<void> | undefined;
    const close = () => {
      process.off('exit', abandon);
      closed ??= browser.close().finally(remove);
      return closed;
    };
    return { browser, close, [Symbol.asyncDispose]: close };
  } catch (error) {
    await remove();
    throw error;
  }
}

export type Credential = Protocol.WebAuthn.Credential;

export interface SecurityKeyOptions {
  /** What is on the key already: carry it over from another page with `credentials()`. */
  credentials?: readonly Credential[];
  /** The key can check a PIN or fingerprint at all. */
  hasUserVerification?: boolean;
  /** The PIN is entered correctly. */
  isUserVerified?: boolean;
  hasResidentKey?: boolean;
  /** The key is touched by itself, as soon as it asks. */
  touchesByItself?: boolean;
}

export interface SecurityKey {
  /** What the key holds now, private keys and counters included. */
  credentials(): Promise<Credential[]>;
  addCredential(credential: Credential): Promise<void>;
  setUserVerified(verified: boolean): Promise<void>;
  /** From the next ceremony on: one that already waits goes on waiting. */
  setTouchesByItself(touches: boolean): Promise<void>;
  /** Pulls the key out. */
  remove(): Promise<void>;
}

/**
 * Plugs a virtual security key (CTAP2, USB) into one page. Chromium keeps virtual keys apart by tab: to use "the same"
 * key in another tab or browser, carry its credentials over. Their `signCount` is part of them and must not go back.
 */
export async function addSecurityKey(page: Page, options: SecurityKeyOptions = {}): Promise<SecurityKey> {
  const session = await page.createCDPSession();
  await session.send('WebAuthn.enable');
  const { authenticatorId } = await session.send('WebAuthn.addVirtualAuthenticator', {
    options: {
      protocol: 'ctap2',
      transport: 'usb',
      hasResidentKey: options.hasResidentKey ?? true,
      hasUserVerification: options.hasUserVerification ?? true,
      isUserVerified: options.isUserVerified ?? true,
      automaticPresenceSimulation: options.touchesByItself ?? true,
    },
  });
  const key: SecurityKey = {
    credentials: async () => (await session.send('WebAuthn.getCredentials', { authenticatorId })).credentials,
    addCredential: (credential) => session.send('WebAuthn.addCredential', { authenticatorId, credential }),
    setUserVerified: (isUserVerified) => session.send('WebAuthn.setUserVerified', { authenticatorId, isUserVerified }),
    setTouchesByItself: (enabled) =>
      session.send('WebAuthn.setAutomaticPresenceSimulation', { authenticatorId, enabled }),
    remove: () => session.send('WebAuthn.removeVirtualAuthenticator', { authenticatorId }),
  };
  for (const credential of options.credentials ?? []) await key.addCredential(credential);
  return key;
}

let unpacked: Promise<string> | undefined;

/** The folder that holds the browser, unpacked once a version into this package's cache. */
function unpackedChromium(): Promise<string> {
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
  // Another process may do the same at this moment: each unpacks into a folder of its own, and the first rename wins.
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
 * The package unpacks into os.tmpdir() and brings its shared libraries only to AWS Lambda. It reads both settings
 * before it first waits, so they are set for that one synchronous call and nobody else sees them.
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

/** The package's own file names folders of AWS Lambda. */
const fontsConfiguration = (folder: string) => `<?xml version="1.0"?>
<!DOCTYPE fontconfig SYSTEM "fonts.dtd">
<fontconfig>
  <dir>${folder}</dir>
  <cachedir prefix="xdg">fontconfig</cachedir>
</fontconfig>
`;

/** What a killed process left half unpacked. */
async function removeAbandoned(): Promise<void> {
  for (const name of await readdir(cache)) {
    if (!name.startsWith('unpacking-')) continue;
    const path = join(cache, name);
    const age = Date.now() - (await stat(path).catch(() => ({ mtimeMs: Date.now() }))).mtimeMs;
    if (age > 15 * 60_000) await rm(path, { recursive: true, force: true });
  }
}

/** The system's own libraries and fonts where they are, the package's where they are missing. */
async function libraries(home: string, executablePath: string): Promise<NodeJS.ProcessEnv> {
  const fonts = (await exists('/etc/fonts/fonts.conf')) ? {} : { FONTCONFIG_PATH: join(home, 'fonts') };
  try {
    await run(executablePath, ['--version']);
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
