import { settingRefused } from '../problem/setting-refused.ts';

/** How traces are made; OpenTelemetry's library reads the rest of its variables itself. */
export interface TraceSettings {
  /** Which part of all requests gets a trace, 0 to 1. */
  ratio: number;
}

/**
 * Whether the server makes traces, by OpenTelemetry's standard variables (OpenTelemetry specification, "Environment Variable
 * Specification").
 *
 * @returns undefined without an exporter or an endpoint for one
 * @throws Problem `setting-refused` for what this server cannot do
 */
export function readTraces(env: Record<string, string | undefined>): TraceSettings | undefined {
  // The specification: an empty value counts as none.
  const read = (name: string) => env[name]?.trim() || undefined;
  const exporter = read('OTEL_TRACES_EXPORTER');
  const endpoints = ['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT', 'OTEL_EXPORTER_OTLP_ENDPOINT'];
  if (read('OTEL_SDK_DISABLED')?.toLowerCase() === 'true' || exporter === 'none') return undefined;
  if (exporter === undefined && endpoints.every((name) => read(name) === undefined)) return undefined;
  if (exporter !== undefined && exporter !== 'otlp') {
    throw settingRefused('OTEL_TRACES_EXPORTER', exporter, 'otlp or none');
  }
  for (const name of endpoints) {
    const value = read(name);
    if (value === undefined || /^https?:$/.test(URL.parse(value)?.protocol ?? '')) continue;
    // It may hold a password.
    throw settingRefused(name, '(something else)', 'an http or https URL');
  }
  for (const name of ['OTEL_EXPORTER_OTLP_TRACES_PROTOCOL', 'OTEL_EXPORTER_OTLP_PROTOCOL']) {
    if (read(name) === 'grpc') throw settingRefused(name, 'grpc', 'http/json');
  }
  return { ratio: readRatio(read('OTEL_TRACES_SAMPLER') ?? 'always_on', read('OTEL_TRACES_SAMPLER_ARG')) };
}

/** No request has a parent: a stranger's headers decide nothing. */
function readRatio(name: string, argument = '1'): number {
  const sampler = name.replace(/^parentbased_/, '');
  if (sampler === 'always_on') return 1;
  if (sampler === 'always_off') return 0;
  if (sampler !== 'traceidratio') {
    throw settingRefused('OTEL_TRACES_SAMPLER', name, 'always_on, always_off or traceidratio');
  }
  const ratio = Number(argument);
  if (ratio >= 0 && ratio <= 1) return ratio;
  throw settingRefused('OTEL_TRACES_SAMPLER_ARG', argument, 'a number from 0 to 1');
}
