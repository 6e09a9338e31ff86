import { Problem } from '../problem.ts';
import { readRegularFile } from '../read-file.ts';

/**
 * The text of AWS's config file; of one that is not there, the empty one.
 *
 * @throws Problem `config-file` when it cannot be read, or is not UTF-8 and so could not be written back as it was
 */
export function readConfigFile(file: string): string {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(readRegularFile(file));
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return '';
    throw new Problem(
      { kind: 'config-file', what: `${file} could not be read.`, why: (error as Error).message, fix: '' },
      { cause: error },
    );
  }
}
