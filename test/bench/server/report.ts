import type { Row } from '../bench.ts';
import { exactly, type Spread, spread } from '../harness.ts';
import { figure } from '../table.ts';
import type { Figures, StepCosts } from './measure.ts';
import type { Engine } from './world.ts';

/** What was measured with an engine and so many people. */
export interface Run {
  engine: Engine;
  people: number;
  figures: Figures;
}

/** Logins a second with one and with two instances, round by round, and what a login cost them of processor time. */
export interface Scaling {
  one: { perSecond: number; cpu: number }[];
  two: { perSecond: number; cpu: number }[];
}

export interface Results {
  runs: readonly Run[];
  /** Request by request, with SQLite and the fewest people. */
  steps?: StepCosts;
  scaling?: Scaling;
  /** Resident memory of the server in MB, before any request and after each tenth of so many pushed requests. */
  memory?: { pushed: number; megabytes: readonly number[] };
}

/** The rows with targets. */
export function rowsOf({ runs, scaling, memory }: Results): Row[] {
  const rows: Row[] = [];
  const first = runs.find(({ engine }) => engine === 'sqlite');
  if (first !== undefined) {
    const { againstBare, login, token } = first.figures;
    rows.push({
      what: `a login with SQLite and ${first.people} people`,
      against: 'bare oidc-provider',
      target: { bound: 'at most', value: 1.6, unit: 'times' },
      measured: againstBare.ratio,
      ours: againstBare.ours,
      peer: againstBare.peer,
    });
    rows.push(overCrypto('the same login', 30, login), overCrypto('a token for AWS', 5, token));
  }
  for (const { engine, people, figures } of runs) {
    const small = runs.find((run) => run.engine === engine && run.people < people);
    if (small !== undefined)
      rows.push(relative(`a login with ${engine}, ${people} people`, small, { engine, people, figures }, 1.3));
    const sqlite = runs.find((run) => run.engine === 'sqlite' && run.people === people);
    if (engine === 'postgres' && sqlite !== undefined)
      rows.push(relative(`a login with ${engine}, ${people} people`, sqlite, { engine, people, figures }, 1.5));
  }
  if (scaling !== undefined) {
    const { one, two } = scaling;
    rows.push({
      what: 'logins a second of two instances',
      against: 'one instance',
      target: { bound: 'at least', value: 1.6, unit: 'times' },
      measured: spread(two.map(({ perSecond }, round) => perSecond / (one[round]?.perSecond ?? Number.NaN))),
      note:
        'load generator, database and both instances share the processors of this machine. By the processor time of a login alone, two ' +
        `cores with an instance each would serve ${figure(byCpu(scaling).median)} times as many as one`,
    });
  }
  if (memory !== undefined) {
    rows.push({
      what: `memory after ${memory.pushed} pushed requests`,
      against: '',
      target: { bound: 'at most', value: 200, unit: 'MB' },
      measured: exactly(memory.megabytes.at(-1) ?? Number.NaN),
      note: `${memory.megabytes.map((each) => each.toFixed(0)).join(', ')} MB, from the start on`,
    });
  }
  return rows;
}

function overCrypto(what: string, atMost: number, { cpu, perCrypto }: Figures['login']): Row {
  const target = { bound: 'at most', value: atMost, unit: 'times' } as const;
  return { what, against: 'its cryptography', target, measured: perCrypto, ours: cpu };
}

/** Two runs are at different times: each counts as a multiple of bare oidc-provider in its own. */
function relative(what: string, than: Run, run: Run, atMost: number): Row {
  const ratio = run.figures.againstBare.ratio.median / than.figures.againstBare.ratio.median;
  return {
    what,
    against: `${than.engine}, ${than.people} people`,
    target: { bound: 'at most', value: atMost, unit: 'times' },
    measured: exactly(ratio),
    ours: run.figures.login.cpu,
    peer: than.figures.login.cpu,
  };
}

function byCpu({ one, two }: Scaling): Spread {
  return spread(two.map(({ cpu }, round) => (2 * (one[round]?.cpu ?? Number.NaN)) / cpu));
}

/** All figures of the runs, a line for each. */
export function lines(runs: readonly Run[]): string {
  const all = runs.flatMap(({ engine, people, figures }) =>
    (['login', 'token'] as const).map((kind) => {
      const { cpu, perCrypto, wait, perSecond } = figures[kind];
      const waits = `${figure(wait.p50)} / ${figure(wait.p95)} / ${figure(wait.p99)} ms`;
      const cost = `${figure(cpu.median)} ms of processor time (${figure(perCrypto.median)} times its cryptography)`;
      return `${engine}, ${people} people, ${kind}: ${cost}; p50, p95, p99 ${waits}; ${figure(perSecond)} a second`;
    }),
  );
  return `${all.join('\n')}\n`;
}

/** What each request of a login costs. */
export function stepLines({ vouch, bare }: StepCosts): string {
  const text = (costs: StepCosts['vouch']) =>
    Object.entries(costs)
      .map(([step, { median }]) => `${step} ${figure(median)}`)
      .join(', ');
  return `each request of a login, in ms of processor time: ${text(vouch)}\nat bare oidc-provider: ${text(bare)}\n`;
}
