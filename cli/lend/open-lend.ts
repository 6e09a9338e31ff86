import { endLend, startLend } from '../agent/client/lend-requests.ts';
import type { Lend, LendEnded } from '../agent/protocol/lends.ts';
import { awsConfigFile } from '../paths.ts';
import type { Io } from '../terminal/io.ts';
import { type LendOptions, usualSeconds } from './options.ts';

/** A lend that ends with this process at the latest. */
export interface OpenLend {
  lend: Lend;
  /** Settles when it is over: with why, and until when AWS may honour what it gave out. */
  ended: Promise<LendEnded>;
  /** Ends it. */
  end(): Promise<LendEnded>;
}

/**
 * Opens a lend that is tied to this process: however this ends, the lend ends with it.
 *
 * @throws Problem as startLend
 */
export async function openLend(options: LendOptions, io: Pick<Io, 'env'>): Promise<OpenLend> {
  const { lend, ended, close } = await startLend({ ...newLend(options, io), tied: true }, io.env);
  const end = async () => {
    // Asked rather than left, so that the last line tells until when AWS may honour what was given out.
    await endLend(lend.name, io.env).catch(close);
    return ended;
  };
  return { lend, ended, end };
}

/**
 * Opens a lend that outlives this process: until its time, `vouch lend end`, or the session's end.
 *
 * @throws Problem as startLend
 */
export async function openLastingLend(options: LendOptions, io: Pick<Io, 'env'>): Promise<Lend> {
  const { lend } = await startLend({ ...newLend(options, io), tied: false }, io.env);
  return lend;
}

function newLend(options: LendOptions, { env }: Pick<Io, 'env'>) {
  const { profile = [], repo = [], branch = [], pullOnly = false, name, aws = false } = options;
  return {
    name,
    profiles: profile,
    awsProfile: env.AWS_PROFILE || undefined,
    config: awsConfigFile(env),
    repos: repo,
    branches: branch,
    pullOnly,
    seconds: options.for ?? usualSeconds,
    aws,
  };
}
