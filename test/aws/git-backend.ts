import { type ChildProcess, spawn } from 'node:child_process';
import type { IncomingMessage, ServerResponse } from 'node:http';

const maxHeaders = 64 * 1024;

/** `git http-backend`, run as CGI, one process for each request. https://git-scm.com/docs/git-http-backend */
export class GitBackend {
  /** An empty folder, so that Git reads no user's configuration. */
  readonly #home: string;
  readonly #running = new Set<ChildProcess>();

  constructor(home: string) {
    this.#home = home;
  }

  /**
   * Serves a request for `<root><path>`.
   *
   * @param repository `read` is what has been read of the request's body
   * @returns the HTTP status, once the answer is complete
   */
  serve(
    request: IncomingMessage,
    response: ServerResponse,
    repository: { root: string; path: string; query: string; user: string; read?: Buffer | undefined },
  ): Promise<number> {
    if (response.destroyed) return Promise.resolve(499); // the client is gone: its 'close' event, which ends the child, is over
    const { headers } = request;
    const child = spawn('git', ['http-backend'], {
      // In its own process group, so that the processes that it starts end with it.
      detached: true,
      stdio: ['pipe', 'pipe', 'ignore'],
      env: {
        PATH: process.env.PATH,
        HOME: this.#home,
        GIT_CONFIG_NOSYSTEM: '1',
        GIT_PROJECT_ROOT: repository.root,
        GIT_HTTP_EXPORT_ALL: '1',
        GATEWAY_INTERFACE: 'CGI/1.1',
        SERVER_PROTOCOL: 'HTTP/1.1',
        REQUEST_METHOD: request.method,
        PATH_INFO: repository.path,
        QUERY_STRING: repository.query,
        REMOTE_USER: repository.user,
        REMOTE_ADDR: '127.0.0.1',
        ...set('CONTENT_TYPE', headers['content-type']),
        ...set('CONTENT_LENGTH', headers['content-length']),
        ...set('HTTP_CONTENT_ENCODING', headers['content-encoding']),
        ...set('GIT_PROTOCOL', headers['git-protocol']),
      },
    });
    this.#running.add(child);
    return new Promise((resolve, reject) => {
      // When a client hangs up, its processes end.
      response.once('close', () => {
        if (!response.writableFinished) stop(child);
      });
      child.once('error', reject);
      child.once('close', () => {
        this.#running.delete(child);
        if (!response.headersSent) fail(response);
        else if (!response.writableEnded) response.end();
        resolve(response.statusCode);
      });
      child.stdin.on('error', () => {}); // it may end before it has read everything
      request.on('error', () => stop(child));
      if (repository.read?.length) child.stdin.write(repository.read);
      request.pipe(child.stdin);
      relay(child, response);
    });
  }

  /** Ends all running processes. */
  async close(): Promise<void> {
    const ended = [...this.#running].map((child) => new Promise((resolve) => child.once('close', resolve)));
    for (const child of this.#running) stop(child);
    await Promise.all(ended);
  }
}

/** Passes CGI's answer on: header lines, an empty line, the body. RFC 3875, section 6. */
function relay(child: ChildProcess, response: ServerResponse): void {
  const { stdout } = child;
  if (stdout === null) return;
  let start = Buffer.alloc(0);
  const onHeaders = (chunk: Buffer) => {
    start = Buffer.concat([start, chunk]);
    const end = /\r?\n\r?\n/.exec(start.toString('latin1'));
    if (end === null) {
      if (start.length > maxHeaders) stop(child);
      return;
    }
    stdout.off('data', onHeaders);
    stdout.pause();
    let status = 200;
    const lines = start.subarray(0, end.index).toString('latin1').split(/\r?\n/);
    for (const line of lines) {
      const colon = line.indexOf(':');
      const [name, value] = [line.slice(0, colon), line.slice(colon + 1).trim()];
      if (name.toLowerCase() === 'status') status = Number.parseInt(value, 10);
      else if (colon > 0) response.setHeader(name, value);
    }
    response.writeHead(status);
    response.write(start.subarray(end.index + end[0].length));
    stdout.pipe(response, { end: false });
  };
  stdout.on('data', onHeaders);
}

function fail(response: ServerResponse): void {
  if (response.destroyed) return;
  response.writeHead(500).end();
}

function stop(child: ChildProcess): void {
  if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) return;
  try {
    process.kill(-child.pid, 'SIGKILL');
  } catch {
    child.kill('SIGKILL'); // it has no group yet, or has just ended
  }
}

const set = (name: string, value: string | string[] | undefined): Record<string, string> =>
  typeof value === 'string' ? { [name]: value } : {};
