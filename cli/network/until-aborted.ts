/**
 * Waits for work until a signal says to give it up, also where the work does not listen to the signal or misses it: Node's HTTP
 * client, and with it AWS's SDK, never settles when the other side answers 101 (Switching Protocols) without being asked to.
 *
 * @throws the signal's reason; what the work fails by
 */
export function untilAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
