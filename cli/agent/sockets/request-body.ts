import type { IncomingMessage } from 'node:http';
import { badRequest } from '../problems.ts';
import type { MemoryBudget } from './memory-budget.ts';

/** Reads the body and uses it. It may hold secrets, so all copies of it are overwritten afterwards. */
export async function withBody<T>(
  request: IncomingMessage,
  memory: MemoryBudget,
  longest: number,
  use: (body: Buffer) => Promise<T>,
): Promise<T> {
  const chunks: Buffer[] = [];
  let length = 0;
  try {
    for await (const chunk of request as AsyncIterable<Buffer>) {
      if (length + chunk.length > longest) throw badRequest(`The body is longer than ${longest} bytes.`);
      if (!memory.take(chunk.length)) throw badRequest('There are too many requests at once.');
      length += chunk.length;
      chunks.push(chunk);
    }
    const body = Buffer.concat(chunks);
    for (const chunk of chunks) chunk.fill(0);
    return await use(body).finally(() => body.fill(0));
  } finally {
    memory.give(length);
  }
}
