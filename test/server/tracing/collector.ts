import { createServer, type IncomingHttpHeaders } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json } from 'node:stream/consumers';

interface KeyValue {
  key: string;
  value: { stringValue?: string; intValue?: number | string; boolValue?: boolean };
}

/** A span as OTLP has it (opentelemetry-proto, trace.proto), in its JSON encoding. */
export interface ReceivedSpan {
  traceId: string;
  spanId: string;
  parentSpanId: string;
  name: string;
  /** 2 is a server's, 3 a client's. */
  kind: number;
  /** 2 is an error. */
  status: number;
  ms: number;
  attributes: Record<string, string | number | boolean | undefined>;
}

interface Message {
  resourceSpans: {
    resource: { attributes: KeyValue[] };
    scopeSpans: {
      spans: (Omit<ReceivedSpan, 'attributes' | 'status' | 'ms'> & {
        attributes: KeyValue[];
        status?: { code?: number };
        startTimeUnixNano: string;
        endTimeUnixNano: string;
      })[];
    }[];
  }[];
}

const asObject = (pairs: KeyValue[]) =>
  Object.fromEntries(
    pairs.map(({ key, value }) => [key, value.stringValue ?? value.boolValue ?? Number(value.intValue)]),
  );

/** An OTLP/HTTP receiver on loopback (OTLP specification, "OTLP/HTTP"), which refuses what is not OTLP in JSON. */
export async function startCollector(status = 200) {
  const spans: ReceivedSpan[] = [];
  const resources: Record<string, unknown>[] = [];
  const requests: { path: string; headers: IncomingHttpHeaders }[] = [];
  const texts: string[] = [];
  const server = createServer(async (request, response) => {
    requests.push({ path: request.url ?? '', headers: request.headers });
    if (request.method !== 'POST' || request.headers['content-type'] !== 'application/json') {
      response.writeHead(415).end();
      return;
    }
    const message = (await json(request)) as Message;
    texts.push(JSON.stringify(message));
    for (const { resource, scopeSpans } of message.resourceSpans) {
      resources.push(asObject(resource.attributes));
      for (const span of scopeSpans.flatMap((scope) => scope.spans)) {
        const ms = Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1e6;
        const parentSpanId = span.parentSpanId ?? '';
        spans.push({
          ...span,
          parentSpanId,
          attributes: asObject(span.attributes),
          status: span.status?.code ?? 0,
          ms,
        });
      }
    }
    response.writeHead(status, { 'Content-Type': 'application/json' }).end('{}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    spans,
    resources,
    requests,
    /** All that was received. */
    text: () => texts.join('\n'),
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
