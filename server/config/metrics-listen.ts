import type { ListenAddress } from '../network/listen.ts';
import { readHostAndPort } from './listen-addresses.ts';

/**
 * Where Prometheus reads the metrics.
 *
 * @param value VOUCH_METRICS_LISTEN
 * @returns undefined if it is not set: nothing is measured
 * @throws Problem `setting-refused`
 */
export function readMetricsListen(value: string | undefined): ListenAddress | undefined {
  if (value === undefined) return undefined;
  return readHostAndPort('VOUCH_METRICS_LISTEN', value, { host: '127.0.0.1' });
}
