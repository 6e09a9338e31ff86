import type { IncomingMessage } from 'node:http';
import { AwsError } from './aws-error.ts';

/** More than the commands of any push here, in bytes. */
const mostCommands = 1024 * 1024;

/** The beginning of a push's request. */
export interface PushStart {
  /** The references that it changes; none in Git's probe, a lone flush packet, which it sends before a large push. */
  references: string[];
  /** What was read for that. Git must get it before the rest: after the end of a request nothing can be put back into it. */
  read: Buffer;
}

/**
 * Reads the commands before the first flush packet of git-receive-pack's request.
 * https://git-scm.com/docs/pack-protocol#_reference_update_request_and_packfile_transfer
 */
export async function readPushStart(request: IncomingMessage): Promise<PushStart> {
  if (request.headers['content-encoding'] !== undefined) {
    throw new AwsError('UnsupportedMediaType', 'Git compresses no request of git-receive-pack.', 415);
  }
  let read = Buffer.alloc(0);
  for (;;) {
    const references = commands(read);
    if (references !== undefined) return { references, read };
    if (read.length > mostCommands) throw new AwsError('RequestEntityTooLarge', 'Too many references', 413);
    const chunk = await nextChunk(request);
    // The request ended within its commands; Git says what is wrong with it.
    if (chunk === undefined) {
      throw new AwsError('InvalidRequest', 'The request ended before its references.', 400);
    }
    read = Buffer.concat([read, chunk]);
  }
}

/** Undefined if the flush packet has not come yet. */
function commands(received: Buffer): string[] | undefined {
  const names: string[] = [];
  for (let at = 0; at + 4 <= received.length; ) {
    const length = Number.parseInt(received.toString('latin1', at, at + 4), 16);
    if (length === 0) return names;
    if (!(length >= 4)) throw new AwsError('InvalidRequest', 'This is no packet line.', 400);
    if (at + length > received.length) return undefined;
    // `old new name`, then a NUL and the capabilities in the first; `shallow`, `push-cert` and options are no commands.
    const [line = ''] = received.toString('utf8', at + 4, at + length).split('\0');
    const [, name] = /^[0-9a-f]{40,64} [0-9a-f]{40,64} (.+?)\n?$/s.exec(line) ?? [];
    if (name !== undefined) names.push(name);
    at += length;
  }
  return undefined;
}

/** The next bytes; undefined at the end. The stream stays paused, so that the rest can be piped. */
function nextChunk(request: IncomingMessage): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const done = (end: () => void) => {
      request.off('readable', onReadable).off('end', onEnd).off('error', onEnd).off('close', onEnd);
      end();
    };
    const onReadable = () => {
      const chunk = request.read() as Buffer | null;
      if (chunk !== null) done(() => resolve(chunk));
    };
    // A client that hangs up has ended its request too.
    const onEnd = () => done(() => resolve(undefined));
    request.on('readable', onReadable).on('end', onEnd).on('error', onEnd).on('close', onEnd);
  });
}
