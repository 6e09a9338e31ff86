import { Gauge, type Registry } from 'prom-client';
import type { Readiness } from '../health/readiness.ts';
import { inTime } from '../in-time.ts';
import { DATABASE } from '../signing/key-rows.ts';
import type { Store } from '../store/store.ts';
import { version } from '../version.ts';

/** What the server is like at a moment. Each is asked for when Prometheus reads. */
export interface State {
  readiness: Readiness;
  store: Store;
  /** How many streams are open. */
  streams: () => number;
  /** The connections to the database; undefined for one that is a file. */
  connections: () => { active: number; idle: number; waiting: number } | undefined;
  /** The published signing keys. */
  keys: () => readonly { state: string; current_at: number | null; created_at: number; source: string }[];
  /** When the server's own certificate ends, in milliseconds since the epoch. */
  certificateEnd: () => number | undefined;
}

/** How long Prometheus waits for a database that hangs, in milliseconds: it gives up after 10 s, and would learn nothing. */
const PATIENCE_MS = 2_000;

/** Adds the gauges of the server's state. */
export function addStateMetrics(registry: Registry, state: State): void {
  const gauge = <Label extends string>(
    name: string,
    help: string,
    labelNames: Label[],
    collect: (this: Gauge<Label>) => void | Promise<void>,
  ) => new Gauge({ name, help, labelNames, collect, registers: [registry] });

  const { readiness, store } = state;
  new Gauge({
    name: 'vouch_build_info',
    help: '1, with the version',
    labelNames: ['version', 'node'],
    registers: [registry],
  }).set({ version, node: process.versions.node }, 1);
  gauge('vouch_ready', 'Whether /readyz answers 200: 1 or 0', [], async function () {
    await within(readiness.report());
    this.set(['ok', 'degraded'].includes(readiness.latest().status) ? 1 : 0);
  });
  gauge('vouch_part_ok', 'Whether a part of the server works, as in /readyz: 1 or 0', ['part'], async function () {
    await within(readiness.report());
    for (const [part, found] of Object.entries(readiness.latest().parts)) this.set({ part }, found === 'ok' ? 1 : 0);
  });
  gauge('vouch_streams_open', 'Streams on which agents listen', [], function () {
    this.set(state.streams());
  });
  gauge(
    'vouch_audit_rows',
    'Number of the last row of the audit trail, the same in all instances',
    [],
    async function () {
      const head = store.selectFrom('audit_head').select('last_id').where('id', '=', 1);
      const row = await within(head.executeTakeFirst());
      if (row === undefined) this.remove();
      else this.set(row.last_id);
    },
  );
  gauge('vouch_signing_keys', 'Published signing keys by state', ['state'], function () {
    for (const wanted of ['next', 'current', 'previous']) {
      this.set({ state: wanted }, state.keys().filter((key) => key.state === wanted).length);
    }
  });
  const since = 'Since when the current signing key signs, by where it is: only one in the database follows a schedule';
  gauge('vouch_signing_key_since_timestamp_seconds', since, ['source'], function () {
    this.reset();
    const current = state.keys().find((key) => key.state === 'current');
    if (current === undefined) return;
    const source = current.source === DATABASE ? 'database' : 'kms';
    this.set({ source }, (current.current_at ?? current.created_at) / 1000);
  });
  if (state.connections() !== undefined) {
    gauge('vouch_database_connections', 'Connections to the database', ['state'], function () {
      const { active, idle } = state.connections() ?? { active: 0, idle: 0 };
      this.set({ state: 'active' }, active);
      this.set({ state: 'idle' }, idle);
    });
    gauge('vouch_database_waiting', 'Statements that wait for a connection to the database', [], function () {
      this.set(state.connections()?.waiting ?? 0);
    });
  }
  if (state.certificateEnd() !== undefined) {
    gauge('vouch_tls_certificate_end_timestamp_seconds', "When the server's own certificate ends", [], function () {
      this.set((state.certificateEnd() ?? 0) / 1000);
    });
  }
}

/** Undefined when it takes too long, or fails: the other metrics are worth reading all the more then. */
async function within<Result>(work: Promise<Result>): Promise<Result | undefined> {
  const result = await inTime(work, PATIENCE_MS).catch(() => undefined);
  return result === 'late' ? undefined : result;
}
