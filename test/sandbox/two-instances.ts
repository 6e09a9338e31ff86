import { AlternatingProxy } from '../support/alternating-proxy.ts';
import { freePort } from '../support/free-port.ts';
import { type IdentityServer, identityServer } from './identity-server.ts';

/**
 * Two instances of the real server on one database, each in its own process, behind a proxy that sends every single request to the other
 * one than the request before.
 *
 * @param env the environment with the server's settings: its database must take two
 * @param logFile where both logs go
 */
export function twoInstances(env: Record<string, string>, logFile: string): IdentityServer {
  let instances: IdentityServer[] = [];
  let proxy: AlternatingProxy | undefined;

  const end = async (how: 'kill' | 'stop') => {
    await proxy?.close();
    proxy = undefined;
    for (const instance of instances) await instance[how]();
  };

  return {
    start: async () => {
      const ports = [await freePort(), await freePort()];
      instances = ports.map((port) => identityServer({ ...env, VOUCH_LISTEN: `127.0.0.1:${port}` }, logFile));
      for (const instance of instances) await instance.start();
      proxy = await AlternatingProxy.open(Number(new URL(env.VOUCH_ISSUER ?? '').port), ports);
    },
    kill: () => end('kill'),
    stop: () => end('stop'),
  };
}
