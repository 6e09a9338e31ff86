import { setGlobalProxyFromEnv } from 'node:http';

/**
 * Fetches a URL, and nothing else: a redirection, which could lead into our own network, is not followed.
 *
 * @param most how many bytes are read
 * @throws Error when the status is not 200, or the answer is longer; the signal's reason
 */
export async function fetchAtMost(url: string, most: number, signal: AbortSignal): Promise<Buffer> {
  setGlobalProxyFromEnv();
  const response = await fetch(url, { signal, redirect: 'manual' }).catch((error: Error) => {
    // The cause says what went wrong.
    throw error.cause instanceof Error ? error.cause : error;
  });
  if (response.status !== 200 || response.body === null) {
    await response.body?.cancel();
    throw new Error(`the answer has status ${response.status}`);
  }
  const chunks: Uint8Array[] = [];
  let length = 0;
  for await (const chunk of response.body) {
    length += chunk.length;
    // Leaving the loop ends the request.
    if (length > most) throw new Error(`it has more than ${most} bytes`);
    chunks.push(chunk);
  }
  return Buffer.concat(chunks);
}
