import { pino } from 'pino';
import { createApp } from './app.ts';
import { trimAudit } from './audit/retention.ts';
import { closeWindows } from './audit/windows.ts';
import type { Config } from './config/config.ts';
import type { Context } from './context.ts';
import { type Offer, offerOwnership } from './enrolment/first-owner.ts';
import { LatestMetadata } from './fido-metadata/latest-metadata.ts';
import { readinessOf } from './health/parts-of-server.ts';
import { inTime } from './in-time.ts';
import { checkOwners } from './key-policy/check-owners.ts';
import { findLockouts } from './key-policy/lockouts.ts';
import { listen } from './network/listen.ts';
import { TlsWatch } from './network/tls-watch.ts';
import { Observation } from './observation.ts';
import { noteAwsIssuer } from './public-documents/aws-issuer.ts';
import { Publication } from './public-documents/publication.ts';
import { SessionWatch } from './sessions/session-watch.ts';
import { KeyPlace } from './signing/key-place.ts';
import { DatabaseKeyRing } from './signing/key-ring.ts';
import { hasSigningKey } from './signing/key-rows.ts';
import { masterKey } from './signing/master-key.ts';
import { findKmsKey } from './signing/rotation/find-kms-key.ts';
import { KeySchedule } from './signing/rotation/schedule.ts';
import { openForServing } from './store/open-for-issuer.ts';
import { Sweeper } from './store/sweep.ts';
import { inFull } from './text/time.ts';
import { version } from './version.ts';

const MINUTE_MS = 60_000;

/** How long each part may take to close, in milliseconds: a database or a host that is away must not keep the process alive. */
const DESTROY_MS = 3_000;

export interface RunningServer {
  context: Context;
  /** Does what is done each minute. It never throws. */
  everyMinute: () => Promise<void>;
  /** Looks at once whether there is another TLS certificate. */
  reload: () => void;
  /** Does what is done every few seconds: sees new signing keys, and moves them on. It never throws. */
  lookAtKeys: () => Promise<void>;
  /** Says that it is not ready, goes on for as long as VOUCH_DRAIN_SECONDS, gives running requests 20 seconds, and closes the database. */
  close: () => Promise<void>;
}

/**
 * Starts the server: opens the database, makes or reads the signing keys, and listens.
 *
 * @param elapsed milliseconds of a monotonic clock
 * @throws when the database, the master key or an address cannot be used; nothing stays open then
 */
export async function serve(config: Config, elapsed = () => performance.now()): Promise<RunningServer> {
  const log = pino({ level: config.logLevel, base: { version }, timestamp: pino.stdTimeFunctions.isoTime });
  log.info({ node: process.versions.node, issuer: config.issuer, database: config.database.name }, 'starting');
  const observation = await Observation.load(config, log);
  const store = await openForServing(config.database, config.issuer, Date.now(), observation.statements);
  const place = new KeyPlace(config.signingKey);
  let metadata: LatestMetadata | undefined;
  let publication: Publication | undefined;
  const end = async () => {
    await Promise.all([closed(publication?.close()), closed(metadata?.close())]);
    place.close();
    await closed(store.destroy());
    await closed(observation.close());
  };
  try {
    const master = await masterKey(config.masterKey, config.database, await hasSigningKey(store));
    const keys = await DatabaseKeyRing.open(store, master, { now: Date.now, elapsed }, place);
    const now = Date.now;
    if (config.signingKey !== undefined) await findKmsKey({ store, keys, log }, now());
    const { fidoMetadata } = config;
    if (fidoMetadata !== undefined) metadata = await LatestMetadata.open(fidoMetadata, { store, log, now });
    const keyPolicy = () => ({ ...config.keyRules, metadata: metadata?.current });
    await checkOwners(store, keyPolicy(), now());
    const context: Context = { config, store, log, keys, keyPolicy, now };
    const published = await openPublication(context, keys);
    publication = published;
    const offer = await offerOwnership(context);
    const watch = new SessionWatch(context);
    const readiness = readinessOf(context, published);
    let tls: TlsWatch | undefined;
    const state = {
      readiness,
      store,
      streams: () => watch.size,
      connections: () => config.database.connections(),
      keys: () => keys.keys,
      certificateEnd: () => (tls ?? config.tls?.pair)?.expiresAt,
    };
    await observation.listen(config, state, log);
    const app = createApp(context, { master, watch, readiness, observers: observation.requests });
    const listeners = await listen(config.listen, app, {
      tls: config.tls?.pair,
      proxies: config.trustedProxies,
    });
    if (config.tls !== undefined) tls = new TlsWatch(config.tls, log, listeners.useTls);
    const sweeper = sweeperFor(context);
    const everyMinute = async () => {
      const sweeps = await sweeper.sweep(context.now()).catch((err) => {
        log.error({ err }, 'sweep failed');
        observation.swept('failed');
        return undefined;
      });
      if (sweeps !== undefined) observation.swept(sweeps ? 'ok' : 'left');
      // One instance asks FIDO, and the others find in the database what it got.
      if (await metadata?.refresh({ fetches: sweeps === true }))
        await warnOfLockouts(context).catch((err) => log.error({ err }, 'keys not judged'));
      if (sweeps) await published.look();
    };
    const minutes = setInterval(everyMinute, MINUTE_MS);
    const clocks = { now: () => context.now(), elapsed };
    const maySign = (kid: string) => published.maySign(kid);
    const schedule = new KeySchedule({ store, keys, days: config.keyRotationDays, clocks, log, maySign });
    schedule.start();
    // Now too, but nobody waits for it.
    void published.look();
    if (listeners.missing.length > 0) log.warn({ addresses: listeners.missing }, 'this machine has no such address');
    // Not in the log, which others keep and read: the first to open the link owns the server.
    if (offer !== undefined) process.stderr.write(textOf(offer));
    log.info({ issuer: config.issuer, addresses: listeners.addresses }, 'listening');
    return {
      context,
      everyMinute,
      reload: () => tls?.look(),
      lookAtKeys: () => schedule.run(),
      close: async () => {
        log.info({ drainMs: config.drainMs }, 'ending');
        clearInterval(minutes);
        tls?.close();
        readiness.drain();
        // Streams would last for an hour.
        watch.close();
        const { drainMs } = config;
        const scheduled = closed(schedule.close());
        await Promise.all([listeners.close(drainMs), observation.stopListening(drainMs), scheduled]);
        await end();
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}

async function closed(closing: Promise<void> | undefined): Promise<void> {
  if (closing !== undefined) await inTime(closing, DESTROY_MS);
}

/** Watches what AWS reads, and says when that is at another issuer than before. */
async function openPublication(context: Context, keys: DatabaseKeyRing): Promise<Publication> {
  const { config, store, log } = context;
  const before = await noteAwsIssuer(store, config.awsIssuer, context.now());
  if (before !== undefined) {
    log.warn({ before, awsIssuer: config.awsIssuer }, 'AWS accounts must trust another issuer now');
  }
  const published = () =>
    keys.keys.flatMap(({ kid, state, publicJwk }) => (state === 'gone' ? [] : [{ kid, state, publicJwk }]));
  return new Publication({ config, store, log, keys: published, now: () => context.now() });
}

/** Newer metadata may refuse keys that counted before. `vouch-server keys policy test` says whose they are. */
async function warnOfLockouts({ store, keyPolicy, now, log }: Context): Promise<void> {
  const { keys, affected } = await findLockouts(store, keyPolicy(), now());
  if (affected.length === 0) return;
  const refused = affected.reduce((sum, person) => sum + person.refused.length, 0);
  const lockedOut = affected.filter(({ left }) => left === 0).length;
  log.warn({ keys, refused, lockedOut }, 'FIDO metadata refuses enrolled keys');
}

function textOf(offer: Offer): string {
  if (offer.link === undefined) {
    return [
      `vouch-server: Nobody owns this server yet, and ${offer.email} (VOUCH_OWNER_EMAIL) is a member already. Make them its owner with`,
      `  vouch-server people promote ${offer.email}`,
      'Until then nobody can be invited or enrol a key.',
      '',
    ].join('\n');
  }
  return [
    `vouch-server: Nobody owns this server yet. Whoever opens this link first becomes its owner, as ${offer.email}:`,
    `  ${offer.link}`,
    `It works once, until ${inFull(offer.expiresAt)}. Until then nobody else can be invited or enrol a key.`,
    'If another browser opened it first, restart the server: that voids this link and prints a new one.',
    '',
  ].join('\n');
}

/** What is done once a minute. @param elapsed milliseconds of a monotonic clock */
export function sweeperFor({ store, config, keys }: Context, elapsed?: () => number): Sweeper {
  const signer = () => ({ issuer: config.issuer, signingKey: keys.current() });
  const tasks = {
    anyTime: [(now: number) => closeWindows(store, now)],
    steady: [(now: number) => trimAudit(store, signer(), config.auditDays, now)],
  };
  return new Sweeper(store, tasks, elapsed);
}
