import { ensureBuilt } from './support/ensure-built.ts';

/** Before any test: the programs and pages that the tests run are the ones of this source. */
export default async function setup(): Promise<void> {
  await ensureBuilt();
}
