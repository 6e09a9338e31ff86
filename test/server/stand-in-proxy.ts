import { readFileSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, request } from 'node:http';
import type { AddressInfo } from 'node:net';

/** Changes the headers of a request from `client` as a reverse proxy does. */
type HeaderRule = (headers: IncomingHttpHeaders, client: string) => void;

/** The documented configuration of a proxy: where it sends requests, and what it does to their headers. */
export interface ProxyFile {
  upstream: string;
  rule: HeaderRule;
}

const docs = new URL('../../docs/proxy/', import.meta.url);

/** nginx's file as nginx reads it: proxy_set_header sets a header, or removes it if the value is empty (ngx_http_proxy_module). */
export function nginxFile(text = readFileSync(new URL('nginx.conf', docs), 'utf8')): ProxyFile {
  const lines = text.split('\n').map((line) => line.trim());
  const [, passed = ''] = /^\s*proxy_pass (http:\S+);$/m.exec(text) ?? [];
  // The name of a group of servers, of which there is one.
  const [, server] =
    new RegExp(`upstream ${passed.slice('http://'.length)} {[^}]*^ +server (\\S+)`, 'm').exec(text) ?? [];
  const upstream = server === undefined ? passed : `http://${server}`;
  const sets = lines.flatMap((line) => {
    const [, name, value] = /^proxy_set_header (\S+) (\S+);$/.exec(line) ?? [];
    return name === undefined || value === undefined ? [] : [[name.toLowerCase(), value] as const];
  });
  return {
    upstream,
    rule: (headers, client) => {
      const before = { ...headers };
      // nginx's default.
      headers.host = new URL(passed).host;
      for (const [name, value] of sets) {
        const variables: Record<string, string> = {
          $http_host: before.host ?? '',
          $remote_addr: client,
          $proxy_add_x_forwarded_for: [before['x-forwarded-for'], client].filter(Boolean).join(', '),
          '""': '',
        };
        const set = variables[value];
        if (set === undefined) throw new Error(`this stand-in does not know ${value}`);
        if (set === '') delete headers[name];
        else headers[name] = set;
      }
    },
  };
}

/** Caddy's file as Caddy reads it: reverse_proxy passes Host on and sets X-Forwarded-For, -Proto and -Host anew. */
export function caddyFile(): ProxyFile {
  const text = readFileSync(new URL('Caddyfile', docs), 'utf8');
  const [, upstream = ''] = /^\s*reverse_proxy (\S+)$/m.exec(text) ?? [];
  // Nothing else in the file changes headers. If that changes, this stand-in must follow.
  if (/^\s*(header_up|trusted_proxies|\{)/m.test(text)) throw new Error('this stand-in does not know all of the file');
  return {
    upstream: `http://${upstream}`,
    rule: (headers, client) => {
      headers['x-forwarded-for'] = client;
      headers['x-forwarded-host'] = headers.host ?? '';
      headers['x-forwarded-proto'] = 'https';
    },
  };
}

/**
 * Starts a proxy that changes headers as in the file. Its server may listen at a port other than the documented one.
 *
 * @param clientOf the address from which a request seems to come
 */
export async function startProxy(file: ProxyFile, port: number, clientOf: () => string) {
  const server = createServer((incoming, outgoing) => {
    const headers = { ...incoming.headers };
    file.rule(headers, clientOf());
    const { method, url } = incoming;
    const onward = request({ host: '127.0.0.1', port, method, path: url, headers }, (answer) => {
      outgoing.writeHead(answer.statusCode ?? 502, answer.headers);
      answer.pipe(outgoing);
    });
    onward.once('error', () => outgoing.destroy());
    incoming.pipe(onward);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    port: (server.address() as AddressInfo).port,
    close: () => {
      server.closeAllConnections();
      server.close();
    },
  };
}
