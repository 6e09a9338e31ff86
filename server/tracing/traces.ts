import { AsyncLocalStorage } from 'node:async_hooks';
import { randomUUID } from 'node:crypto';
import {
  DiagLogLevel,
  diag,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  type Tracer,
  trace,
} from '@opentelemetry/api';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import { BatchSpanProcessor, TraceIdRatioBasedSampler, TracerProvider } from '@opentelemetry/sdk-trace';
import type { RequestHandler } from 'express';
import type { Logger } from 'pino';
import type { TraceSettings } from '../config/traces.ts';
import { methodOf, routeOf } from '../http/route-of.ts';
import { type KmsCall, kmsCalls } from '../kms/calls.ts';
import type { StatementWatch } from '../store/statement-watch.ts';
import { version } from '../version.ts';

/** The pause between two complaints that traces go nowhere, in milliseconds. */
const COMPLAIN_MS = 60_000;

/** The most of a statement that a span has. Lists of parameters can be long. */
const MAX_SQL = 2_000;

/**
 * Traces of requests, with their statements and their requests to KMS, sent by OTLP over HTTP. A span has the pattern of a route and a
 * statement's text, never a path, a parameter or a header: those have tickets, codes and addresses.
 */
export class Traces {
  readonly #provider: TracerProvider;
  readonly #tracer: Tracer;
  readonly #active = new AsyncLocalStorage<Span>();
  readonly #system: string;
  readonly #kmsSpans = new WeakMap<KmsCall, Span>();
  readonly #log: Logger;
  #complainedAt = Number.NEGATIVE_INFINITY;

  /** @param engine which database it is */
  constructor({ ratio }: TraceSettings, engine: 'sqlite' | 'postgres', log: Logger) {
    this.#log = log;
    this.#system = engine === 'postgres' ? 'postgresql' : 'sqlite';
    const complain = (text: string) => this.#complain(text);
    const quiet = () => {};
    diag.setLogger(
      { error: complain, warn: complain, info: quiet, debug: quiet, verbose: quiet },
      { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
    );
    const own = {
      'service.name': 'vouch-server',
      'service.version': version,
      'service.instance.id': randomUUID(),
    };
    this.#provider = new TracerProvider({
      // OTEL_SERVICE_NAME and OTEL_RESOURCE_ATTRIBUTES.
      resource: resourceFromAttributes(own).merge(detectResources({ detectors: [envDetector] })),
      sampler: new TraceIdRatioBasedSampler(ratio),
      spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
    });
    this.#tracer = this.#provider.getTracer('vouch-server', version);
    kmsCalls.subscribe(this.#kms);
  }

  /** Makes a span of each request. */
  readonly requests: RequestHandler = (request, response, next) => {
    const method = methodOf(request);
    const span = this.#tracer.startSpan(
      method,
      {
        kind: SpanKind.SERVER,
        attributes: { 'http.request.method': method, 'vouch.request_id': request.id },
      },
      ROOT_CONTEXT,
    );
    response.once('close', () => {
      const route = routeOf(request, response);
      const { statusCode, locals, writableFinished } = response;
      span.updateName(`${method} ${route}`);
      span.setAttributes({ 'http.route': route, 'http.response.status_code': statusCode });
      if (locals.problem !== undefined) span.setAttribute('vouch.problem', locals.problem);
      if (statusCode >= 500) span.setStatus({ code: SpanStatusCode.ERROR });
      if (!writableFinished) span.setAttribute('error.type', 'aborted');
      span.end();
    });
    this.#active.run(span, next);
  };

  /** Makes a span of a statement within a request: others, such as looks at sessions twice a second, would be noise. */
  readonly statement: StatementWatch = ({ sql, ms, failed }) => {
    const parent = this.#active.getStore();
    if (parent === undefined) return;
    const [, operation = 'statement'] = /^\s*(\w+)/.exec(sql) ?? [];
    const [, table] = /\b(?:from|into|update)\s+"?(\w+)/i.exec(sql) ?? [];
    const span = this.#tracer.startSpan(
      table === undefined ? operation : `${operation} ${table}`,
      {
        kind: SpanKind.CLIENT,
        startTime: Date.now() - ms,
        attributes: {
          'db.system.name': this.#system,
          'db.operation.name': operation,
          'db.query.text': sql.slice(0, MAX_SQL),
        },
      },
      trace.setSpan(ROOT_CONTEXT, parent),
    );
    // What the database says may quote values.
    if (failed) span.setStatus({ code: SpanStatusCode.ERROR });
    span.end();
  };

  readonly #kms = {
    start: (call: KmsCall) => {
      const parent = this.#active.getStore();
      if (parent === undefined) return;
      const span = this.#tracer.startSpan(
        `KMS ${call.operation}`,
        {
          kind: SpanKind.CLIENT,
          attributes: {
            'rpc.system': 'aws-api',
            'rpc.service': 'KMS',
            'rpc.method': call.operation,
            'cloud.region': call.region,
          },
        },
        trace.setSpan(ROOT_CONTEXT, parent),
      );
      this.#kmsSpans.set(call, span);
    },
    end: () => {},
    asyncStart: () => {},
    asyncEnd: (call: KmsCall) => this.#kmsSpans.get(call)?.end(),
    error: (call: KmsCall) => this.#kmsSpans.get(call)?.setStatus({ code: SpanStatusCode.ERROR }),
  };

  /** Sends what is left. */
  async close(): Promise<void> {
    kmsCalls.unsubscribe(this.#kms);
    await this.#provider.shutdown().catch((error: Error) => this.#complain(error.message));
  }

  /** A collector that is away is told once a minute, and no answer of it is quoted: it might quote our headers. */
  #complain(text: string): void {
    if (performance.now() - this.#complainedAt < COMPLAIN_MS) return;
    this.#complainedAt = performance.now();
    this.#log.warn({ reason: reasonIn(text) }, 'traces are not sent');
  }
}

/** The library's messages are sentences, or errors as JSON. */
function reasonIn(text: string): string {
  try {
    return String((JSON.parse(text) as { message?: unknown }).message).slice(0, 200);
  } catch {
    return text.slice(0, 200);
  }
}
