import { readFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { type Program, programs } from '../programs.ts';
import { importsOf, loadedAtStart, sourcesIn } from './support/imports.ts';

/** A room of docs/architecture.md: its files may import from it and from the rooms further down. */
interface Room {
  row: number;
  paths: string[];
  /** The folders whose files may import from it; all, if empty. */
  onlyFor: string[];
}

const root = resolve(import.meta.dirname, '..');
const page = readFileSync(join(root, 'docs/architecture.md'), 'utf8');
const rooms: Room[] = [...page.matchAll(/^\| (`(?:cli|server|web)\b[^|]*)\|[^|]*\|([^|]*)\|$/gm)].map(
  ([, paths = '', onlyFor = ''], row) => ({ row, paths: quoted(paths), onlyFor: quoted(onlyFor) }),
);

function quoted(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map(([, path = '']) => path);
}

const isIn = (file: string, place: string) => file === place || file.startsWith(`${place}/`);

/** The room of a file: the one with the longest path that contains it. */
function roomOf(file: string): Room | undefined {
  const length = ({ paths }: Room) =>
    Math.max(0, ...paths.filter((path) => isIn(file, path)).map((path) => path.length));
  const [room] = rooms.toSorted((a, b) => length(b) - length(a));
  return room && length(room) > 0 ? room : undefined;
}

const sources = ['cli', 'server', 'web'].flatMap(sourcesIn);

test('every file has a room, and every room a file', () => {
  expect(sources.filter((file) => roomOf(file) === undefined)).toEqual([]);
  expect(rooms.filter((room) => !sources.some((file) => roomOf(file) === room))).toEqual([]);
});

test('no import runs up, or into a room that is only for others', () => {
  const wrong = sources.flatMap(importsOf).filter(({ from, to }) => {
    const [ours, theirs] = [roomOf(from), roomOf(to)];
    if (!ours || !theirs) return false;
    const crosses = from.split('/')[0] !== to.split('/')[0];
    const closed = theirs.onlyFor.length > 0 && !theirs.onlyFor.some((place) => isIn(from, place));
    return crosses || closed || theirs.row < ours.row;
  });
  expect(wrong.map(({ from, to }) => `${from} imports ${to}`)).toEqual([]);
});

test('cli/ has at most six loose files', () => {
  expect(sourcesIn('cli').filter((file) => file.split('/').length === 2).length).toBeLessThanOrEqual(6);
});

test.each(Object.entries<Program>(programs))(
  '%s loads nothing at its start that programs.ts reserves for later',
  (_, program) => {
    const { source, built, notAtStart } = program;
    const loaded = loadedAtStart(source);
    expect([...loaded].filter((name) => notAtStart.includes(name))).toEqual([]);
    // Only the bundle shows which modules of Node other packages load, and whether they call fetch.
    const bundle = readFileSync(join(root, built), 'utf8');
    const start = [...bundle.matchAll(/(?:\brequire\(|\bfrom )"(node:[\w/]+)"|(?<![#.\w])(fetch)\(/g)];
    const named = start.map(([, part, call = '']) => part ?? call);
    expect(named.filter((name) => notAtStart.includes(name))).toEqual([]);
  },
);
