import { createServer } from 'node:net';

/**
 * A port that is free on both loopback addresses, because a server whose issuer is http://localhost needs both. The issuer's URL
 * contains the port, so it must be known before the server starts.
 */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = await free('127.0.0.1', 0);
    if (port !== undefined && (await free('::1', port)) !== undefined) return port;
  }
}

/** The port if it is free on this host, or if the machine has no such address; otherwise undefined. */
async function free(host: string, wanted: number): Promise<number | undefined> {
  const server = createServer();
  try {
    await new Promise<void>((resolve, reject) => {
      server.once('error', reject);
      server.listen({ host, port: wanted }, resolve);
    });
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'EADDRINUSE') return undefined;
    if (['EADDRNOTAVAIL', 'EAFNOSUPPORT'].includes(code ?? '')) return wanted;
    throw error;
  }
  const { port } = server.address() as { port: number };
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
