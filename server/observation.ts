import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import type { Config } from './config/config.ts';
import type { Metrics } from './metrics/metrics.ts';
import type { State } from './metrics/state-metrics.ts';
import type { Listeners } from './network/listen.ts';
import type { StatementWatch } from './store/statement-watch.ts';
import type { Traces } from './tracing/traces.ts';

/** What watches the server: metrics and traces, each loaded only if the settings want it. */
export class Observation {
  readonly #metrics: Metrics | undefined;
  readonly #traces: Traces | undefined;
  #listeners: Listeners | undefined;

  private constructor(metrics: Metrics | undefined, traces: Traces | undefined) {
    this.#metrics = metrics;
    this.#traces = traces;
  }

  static async load({ metricsListen, traces, database }: Config, log: Logger): Promise<Observation> {
    return new Observation(
      metricsListen && new (await import('./metrics/metrics.ts')).Metrics(),
      traces && new (await import('./tracing/traces.ts')).Traces(traces, database.kind, log),
    );
  }

  get #loaded(): (Metrics | Traces)[] {
    return [this.#traces, this.#metrics].filter((each) => each !== undefined);
  }

  /** To be told of each statement; undefined if nobody wants to know. */
  get statements(): StatementWatch | undefined {
    const watches = this.#loaded.map(({ statement }) => statement);
    if (watches.length === 0) return undefined;
    return (statement) => {
      for (const watch of watches) watch(statement);
    };
  }

  /** Go before the handlers of requests. */
  get requests(): RequestHandler[] {
    return this.#loaded.map(({ requests }) => requests);
  }

  /** @param result 'left' when another instance does it */
  swept(result: 'ok' | 'failed' | 'left'): void {
    this.#metrics?.swept(result);
  }

  /**
   * Lets Prometheus read the metrics.
   *
   * @throws Problem `listening-failed`
   */
  async listen({ metricsListen }: Config, state: State, log: Logger): Promise<void> {
    if (this.#metrics === undefined || metricsListen === undefined) return;
    this.#metrics.addState(state);
    const { serveMetrics } = await import('./metrics/serve-metrics.ts');
    this.#listeners = await serveMetrics(metricsListen, this.#metrics, log);
  }

  /** Metrics can be read for so long, as other requests are answered. @param drainMs milliseconds */
  async stopListening(drainMs = 0): Promise<void> {
    await this.#listeners?.close(drainMs);
  }

  /** Sends what is left of the traces. */
  async close(): Promise<void> {
    await this.stopListening();
    this.#metrics?.close();
    await this.#traces?.close();
  }
}
