import { complete, file, under } from './entries.ts';
import type { Contents } from './product.ts';
import { tarGz } from './tar.ts';

/** An archive that runs wherever it is unpacked: one folder, whose `bin` has the commands. */
export function archive(
  { entries, manPages, completions, product }: Contents,
  name: string,
  time: number,
): Promise<Buffer> {
  const share = [
    ...manPages.map((page) => ({ ...page, path: `share/man/man${page.path.at(-1)}/${page.path}` })),
    ...completions.map(({ path, content = '' }) => file(`share/completions/${product.name}.${path}`, content)),
  ];
  return tarGz(complete(under(name, [...entries, ...share])), { time, prefix: '' });
}
