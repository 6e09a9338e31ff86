import type { Look } from '../public-documents/look.ts';
import { databaseTime } from '../store/database-time.ts';
import type { Engine } from '../store/engine.ts';
import type { Store } from '../store/store.ts';
import { durationText } from '../text/duration.ts';
import { type Finding, type Result, resultOf } from './result.ts';

/** A smaller difference does no harm, in milliseconds. */
const HARMLESS_MS = 30_000;

/** AWS takes a token for 5 minutes before and after its times, in milliseconds. */
const LIMIT_MS = 5 * 60_000;

/** Whose clock it is, and by how many milliseconds this machine's is ahead of it. */
interface Other {
  id: 'clock.database' | 'clock.public-host';
  whose: string;
  ahead: number;
}

/** Compares this machine's clock with the database server's, and with that of the host of the public documents. */
export async function checkClock(engine: Engine, store: Store | undefined, look: Look | undefined): Promise<Result> {
  const others = [...(await ofDatabase(engine, store)), ...ofHost(look)];
  const findings = others.flatMap(({ id, whose, ahead }): Finding[] => {
    const difference = Math.abs(ahead);
    if (difference < HARMLESS_MS) return [];
    return [
      {
        id,
        severity: difference < LIMIT_MS ? 'warning' : 'failed',
        what: `This machine's clock is ${durationText(difference / 1000)} ${ahead > 0 ? 'ahead of' : 'behind'} ${whose}.`,
        why: 'From 5 minutes on AWS refuses the tokens, and people’s programs are refused here.',
        fix: 'Turn on the synchronisation of the clock that is wrong.',
      },
    ];
  });
  const compared = others.map(({ whose }) => whose);
  const says =
    compared.length === 0 ? 'there is no other clock to compare with' : `compared with ${compared.join(' and ')}`;
  const data = Object.fromEntries(others.map(({ id, ahead }) => [id, { aheadMs: Math.round(ahead) }]));
  return resultOf('clock', { says, findings, data });
}

/** An embedded database has this machine's clock. */
async function ofDatabase(engine: Engine, store: Store | undefined): Promise<Other[]> {
  if (store === undefined || engine.kind === 'sqlite') return [];
  const before = Date.now();
  const theirs = await databaseTime(store);
  const ours = (before + Date.now()) / 2;
  return [{ id: 'clock.database', whose: "the database server's", ahead: ours - theirs }];
}

/** A cached copy has the time when the host made it; if the cache does not tell its age, only the future is certain. */
function ofHost(look: Look | undefined): Other[] {
  if (look?.date === undefined || look.freshness === undefined) return [];
  const { age, maxAge } = look.freshness;
  const ahead = look.at - (look.date + age * 1000);
  const certain = ahead < 0 || age > 0 || ahead > maxAge * 1000;
  return [{ id: 'clock.public-host', whose: "the public documents' host's", ahead: certain ? ahead : 0 }];
}
