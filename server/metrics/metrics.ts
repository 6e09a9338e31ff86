import type { RequestHandler } from 'express';
import { Counter, collectDefaultMetrics, Gauge, Histogram, Registry } from 'prom-client';
import type { StatementWatch } from '../store/statement-watch.ts';
import { KmsMetrics } from './kms-metrics.ts';
import { RequestMetrics } from './request-metrics.ts';
import { addStateMetrics, type State } from './state-metrics.ts';

/** In seconds: from a look at the cache to the longest statement that PostgreSQL is let do. */
const STATEMENT_BUCKETS = [0.0001, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.1, 0.5, 2.5, 10, 30];

/** Everything that is measured, for Prometheus. */
export class Metrics {
  readonly #registry = new Registry();
  readonly #requests = new RequestMetrics(this.#registry);
  readonly #kms = new KmsMetrics(this.#registry);
  readonly #statements = new Histogram({
    name: 'vouch_database_statement_duration_seconds',
    help: 'How long statements took, with the wait for a connection or the write lock',
    labelNames: ['result'] as const,
    buckets: STATEMENT_BUCKETS,
    registers: [this.#registry],
  });
  readonly #sweeps = new Counter({
    name: 'vouch_sweeps_total',
    help: 'Deletions of what has expired, each minute by one instance, by result: ok, failed, or left to another instance',
    labelNames: ['result'] as const,
    registers: [this.#registry],
  });
  readonly #lastSweep = new Gauge({
    name: 'vouch_sweep_timestamp_seconds',
    help: 'When this instance last swept, or left it to another one; at first, when it started',
    registers: [this.#registry],
  });

  constructor() {
    // Memory, CPU, open files, the event loop's lag, garbage collection, Node's version.
    collectDefaultMetrics({ register: this.#registry });
    for (const result of ['ok', 'failed']) this.#statements.zero({ result });
    this.#lastSweep.setToCurrentTime();
    for (const result of ['ok', 'failed', 'left']) this.#sweeps.inc({ result }, 0);
  }

  /** Goes before the handlers whose answers it measures. */
  get requests(): RequestHandler {
    return this.#requests.handler;
  }

  readonly statement: StatementWatch = ({ ms, failed }) => {
    this.#statements.observe({ result: failed ? 'failed' : 'ok' }, ms / 1000);
  };

  swept(result: 'ok' | 'failed' | 'left'): void {
    this.#sweeps.inc({ result });
    if (result !== 'failed') this.#lastSweep.setToCurrentTime();
  }

  /** Adds what can be measured only when the server runs. */
  addState(state: State): void {
    addStateMetrics(this.#registry, state);
  }

  /** All of it in Prometheus's text format. */
  async text(): Promise<{ type: string; body: string }> {
    return { type: this.#registry.contentType, body: await this.#registry.metrics() };
  }

  close(): void {
    this.#kms.close();
  }
}
