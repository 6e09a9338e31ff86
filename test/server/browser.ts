/** A browser as the server sees it: an origin, and cookies by path. It follows no redirects. */
export class Browser {
  readonly #origin: string;
  readonly #cookies = new Map<string, { name: string; value: string; path: string }>();
  /** A random IP address, so that each browser has its own rate limit. */
  readonly address: string;

  constructor(origin: string) {
    this.#origin = origin;
    const part = () => 1 + Math.floor(Math.random() * 254);
    this.address = `10.${part()}.${part()}.${part()}`;
  }

  get(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return this.#send(path, { method: 'GET', headers });
  }

  /** Sends a JSON body from the server's own origin, as the pages do. */
  post(path: string, body: unknown = {}, headers: Record<string, string> = {}): Promise<Response> {
    return this.send('POST', path, body, headers);
  }

  /** The same with another method. */
  send(method: string, path: string, body: unknown, headers: Record<string, string> = {}): Promise<Response> {
    return this.#send(path, {
      method,
      headers: { 'content-type': 'application/json', origin: this.#origin, ...headers },
      body: JSON.stringify(body),
    });
  }

  /** Asks for a removal from the server's own origin, as the pages do. */
  delete(path: string, headers: Record<string, string> = {}): Promise<Response> {
    return this.#send(path, { method: 'DELETE', headers: { origin: this.#origin, ...headers } });
  }

  get cookies(): { name: string; value: string; path: string }[] {
    return [...this.#cookies.values()];
  }

  async #send(path: string, init: RequestInit & { headers: Record<string, string> }): Promise<Response> {
    const url = new URL(path, this.#origin);
    const cookie = this.cookies
      .filter((item) => url.pathname === item.path || url.pathname.startsWith(item.path.replace(/\/?$/, '/')))
      .map((item) => `${item.name}=${item.value}`)
      .join('; ');
    const response = await fetch(url, {
      ...init,
      redirect: 'manual',
      headers: { 'x-forwarded-for': this.address, ...(cookie === '' ? {} : { cookie }), ...init.headers },
    });
    for (const line of response.headers.getSetCookie()) this.#keep(line);
    return response;
  }

  #keep(line: string): void {
    const [pair = '', ...attributes] = line.split(';').map((part) => part.trim());
    const [name = '', value = ''] = pair.split(/=(.*)/s, 2);
    const attribute = (wanted: string) =>
      attributes.find((item) => item.toLowerCase().startsWith(`${wanted}=`))?.slice(wanted.length + 1);
    const path = attribute('path') ?? '/';
    const expires = attribute('expires');
    const over = attribute('max-age') === '0' || (expires !== undefined && Date.parse(expires) <= Date.now());
    if (over) this.#cookies.delete(`${name} ${path}`);
    else this.#cookies.set(`${name} ${path}`, { name, value, path });
  }
}
