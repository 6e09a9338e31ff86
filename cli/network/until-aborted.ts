/**
 * Waits for work, but stops waiting at a signal, even if the work itself ignores the signal: Node's HTTP client, and so AWS's SDK,
 * never settles when a server answers 101 (Switching Protocols) without being asked to.
 *
 * @throws the signal's reason; what the work rejects with
 */
export function untilAborted<Result>(work: Promise<Result>, signal: AbortSignal): Promise<Result> {
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    signal.addEventListener('abort', stop, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}
