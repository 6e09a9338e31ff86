import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { expect, test } from 'vitest';

const root = resolve(import.meta.dirname, '..');

/** The documents, by their paths, without what their code blocks show. */
const documents = new Map(
  globSync(['*.md', 'docs/**/*.md'], { cwd: root }).map((path) => [
    path,
    readFileSync(join(root, path), 'utf8').replaceAll(/^ *```[\s\S]*?^ *```$/gm, ''),
  ]),
);

/** The places in a document that a link can lead to, named as GitHub does. */
function places(document: string): Set<string> {
  const headings = [...document.matchAll(/^#+ (.*)$/gm)].map(([, text = '']) => text);
  return new Set(
    headings.map((text) =>
      text
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N} _-]/gu, '')
        .replaceAll(' ', '-'),
    ),
  );
}

test('every link between documents leads to a file, and to a heading in it', () => {
  const broken = [...documents].flatMap(([path, document]) =>
    [...document.matchAll(/\]\((?!https?:)([^)\s#]*)(?:#([^)\s]*))?\)/g)].flatMap(([link, file = '', place]) => {
      const target = file === '' ? path : join(dirname(path), file);
      const headings = documents.get(target);
      const ok = place === undefined ? existsSync(join(root, target)) : headings && places(headings).has(place);
      return ok ? [] : [`${path}: ${link}`];
    }),
  );
  expect(documents.size).toBeGreaterThan(10);
  expect(broken).toEqual([]);
});
