import type { RequestListener } from 'node:http';
import type { Logger } from 'pino';
import { type ListenAddress, type Listeners, listen } from '../network/listen.ts';
import type { Metrics } from './metrics.ts';

/**
 * Serves `/metrics` and nothing else, on an address of its own.
 *
 * @throws Problem `listening-failed`
 */
export function serveMetrics(address: ListenAddress, metrics: Metrics, log: Logger): Promise<Listeners> {
  let reading: ReturnType<Metrics['text']> | undefined;
  const listener: RequestListener = async ({ method = '', url }, response) => {
    if (url !== '/metrics') return void response.writeHead(404).end();
    if (!['GET', 'HEAD'].includes(method)) return void response.writeHead(405, { Allow: 'GET, HEAD' }).end();
    try {
      // Once for all who ask at the same time.
      reading ??= metrics.text().finally(() => {
        reading = undefined;
      });
      const { type, body } = await reading;
      response.writeHead(200, { 'Content-Type': type, 'Cache-Control': 'no-store' }).end(body);
    } catch (err) {
      log.error({ err }, 'metrics failed');
      response.writeHead(500).end();
    }
  };
  return listen([address], listener);
}
