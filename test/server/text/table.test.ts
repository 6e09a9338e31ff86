import { describe, expect, test } from 'vitest';
import { type Column, table } from '../../../server/text/table.ts';

interface Row {
  email: string;
  name: string;
  day: string;
}

const columns: Column<Row>[] = [
  { head: 'ADDRESS', cell: ({ email }) => email },
  { head: 'NAME', cell: ({ name }) => name, shorten: true },
  { head: 'DAY', cell: ({ day }) => day },
];

const lines = (width: number, ...rows: Row[]) => table(columns, rows, width).split('\n');

describe('a table', () => {
  test('aligns its columns, and leaves no blanks at the ends of lines', () => {
    expect(
      lines(
        80,
        { email: 'alice@example.com', name: 'Work key', day: 'today' },
        { email: 'b@x.io', name: '', day: '3 Nov' },
        { email: 'c@x.io', name: 'Spare', day: '' },
      ),
    ).toEqual([
      'ADDRESS            NAME      DAY',
      'alice@example.com  Work key  today',
      'b@x.io                       3 Nov',
      'c@x.io             Spare',
      '',
    ]);
  });

  test('shortens names to fit, but no addresses', () => {
    const row = { email: 'alice@example.com', name: 'The key in my drawer at home', day: '3 Nov' };
    expect(lines(40, row)).toEqual([
      'ADDRESS            NAME            DAY',
      'alice@example.com  The key in my…  3 Nov',
      '',
    ]);
  });

  test('gives a long address a line of its own', () => {
    const long = { email: 'a.very.long.name.of.somebody@example.com', name: 'A name that is long', day: '3 Nov' };
    expect(lines(40, long, { email: 'bob@example.com', name: 'Key', day: 'today' })).toEqual([
      'ADDRESS                  NAME      DAY',
      'a.very.long.name.of.somebody@example.com',
      '                         A name …  3 Nov',
      'bob@example.com          Key       today',
      '',
    ]);
  });

  test('counts wide letters as two, accents as none, and shows no control characters', () => {
    expect(
      lines(
        80,
        { email: '日本@x.io', name: 'e\u0301', day: '1' },
        { email: 'aaaaaaaaa', name: '\u001b[2Jx', day: '2' },
      ),
    ).toEqual(['ADDRESS    NAME   DAY', '日本@x.io  e\u0301      1', 'aaaaaaaaa   [2Jx  2', '']);
  });
});
