import { Histogram, type Registry } from 'prom-client';
import { type KmsCall, kmsCalls } from '../kms/calls.ts';

/** In seconds: KMS signs in some 10 ms, and the server gives up after 5 s. */
const BUCKETS = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

/** Measures requests to AWS KMS. */
export class KmsMetrics {
  readonly #duration: Histogram<'operation' | 'result'>;
  readonly #running = new WeakMap<KmsCall, { start: number; failed: boolean }>();

  constructor(registry: Registry) {
    this.#duration = new Histogram({
      name: 'vouch_kms_request_duration_seconds',
      help: 'How long requests to AWS KMS took, each with all its tries',
      labelNames: ['operation', 'result'],
      buckets: BUCKETS,
      registers: [registry],
    });
    for (const result of ['ok', 'failed']) this.#duration.zero({ operation: 'Sign', result });
    kmsCalls.subscribe(this.#listener);
  }

  close(): void {
    kmsCalls.unsubscribe(this.#listener);
  }

  readonly #listener = {
    start: (call: KmsCall) => void this.#running.set(call, { start: performance.now(), failed: false }),
    end: () => {},
    asyncStart: () => {},
    error: (call: KmsCall) => {
      const running = this.#running.get(call);
      if (running !== undefined) running.failed = true;
    },
    asyncEnd: (call: KmsCall) => {
      const running = this.#running.get(call);
      if (running === undefined) return;
      const labels = { operation: call.operation, result: running.failed ? 'failed' : 'ok' };
      this.#duration.observe(labels, (performance.now() - running.start) / 1000);
    },
  };
}
