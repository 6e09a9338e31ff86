import { complete, under } from './entries.ts';
import type { Contents } from './product.ts';
import { tarGz } from './tar.ts';

/**
 * An archive that runs wherever it is unpacked: one folder, whose `bin` has the commands.
 *
 * @param name the folder's
 * @param time every file's, in seconds since 1970
 */
export function archive({ entries, share }: Contents, name: string, time: number): Promise<Buffer> {
  return tarGz(complete(under(name, [...entries, ...under('share', share)])), { time, prefix: '' });
}
