import { untilAborted } from '../network/until-aborted.ts';
import { ProgressLine, type Screen } from '../terminal/progress-line.ts';
import { discover } from './oidc-client.ts';

/** How long the server may take before the person is told what we wait for, in milliseconds. */
const slowAnswer = 1000;

/**
 * Makes sure that a Vouch server answers, before the person is asked for more. The network must have been prepared.
 *
 * @param server the issuer URL
 * @throws Problem as discover; `signal.reason` when aborted
 */
export async function reachServer(server: string, screen: Screen, signal: AbortSignal): Promise<void> {
  const progress = new ProgressLine(screen);
  const slow = setTimeout(() => progress.show(`Waiting for ${new URL(server).host} …`), slowAnswer);
  try {
    await untilAborted(discover(server, signal), signal);
  } finally {
    clearTimeout(slow);
    progress.end();
  }
}
