import { freePort } from '../../support/free-port.ts';

/** One line of Prometheus's text format. */
export interface Sample {
  name: string;
  labels: Record<string, string>;
  value: number;
}

/** Reads Prometheus's text format (Prometheus documentation, "Exposition formats"). */
export function parseMetrics(text: string): Sample[] {
  return text.split('\n').flatMap((line) => {
    if (line === '' || line.startsWith('#')) return [];
    const [, name = '', labels = '', value = ''] = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)$/.exec(line) ?? [];
    if (name === '') throw new Error(`not a sample: ${line}`);
    const pairs = [...labels.matchAll(/(\w+)="((?:[^"\\]|\\.)*)"/g)].map(([, key = '', text = '']) => [key, text]);
    return [{ name, labels: Object.fromEntries(pairs), value: Number(value.replace('+Inf', 'Infinity')) }];
  });
}

/** The setting for metrics at a free port, and what reads them. */
export async function metricsSettings() {
  const address = `127.0.0.1:${await freePort()}`;
  const text = async () => (await fetch(`http://${address}/metrics`)).text();
  return { address, settings: { VOUCH_METRICS_LISTEN: address }, text, read: async () => parseMetrics(await text()) };
}

/** The value of the one sample with these labels, whatever others it has; undefined if there is none. */
export function sampleOf(
  samples: readonly Sample[],
  name: string,
  labels: Record<string, string> = {},
): number | undefined {
  const found = samples.filter(
    (sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value),
  );
  if (found.length > 1) throw new Error(`there are ${found.length} samples of ${name}`);
  return found[0]?.value;
}
