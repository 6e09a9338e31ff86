import { describe, expect, test } from 'vitest';
import { type Common, LONGEST_LIST, readList } from '../../../server/invitations/read-list.ts';
import { readEndDate } from '../../../server/people/end-date.ts';

const read = (text: string, common?: Common) => readList(Buffer.from(text), common);

/** The sentences of the error that a list gets. */
function errorsOf(list: string | Uint8Array, common?: Common): string[] {
  try {
    readList(typeof list === 'string' ? Buffer.from(list) : list, common);
  } catch (error) {
    expect(error).toMatchObject({ kind: 'list-refused', category: 'usage' });
    return (error as Error).message.split('\n  ');
  }
  throw new Error('the list was accepted');
}

const endsAt = readEndDate('2026-12-31');

describe('a list', () => {
  test('without a first line of names has an address on each line, and perhaps a role and an end date', () => {
    expect(read('Alice@Example.com\n bob@example.com ,owner\r\n\ncarol@example.com,,2026-12-31\n,,\n')).toEqual([
      { email: 'alice@example.com', line: 1 },
      { email: 'bob@example.com', role: 'owner', line: 2 },
      { email: 'carol@example.com', endsAt, line: 4 },
    ]);
  });

  test('may name its columns, in any order and in the ways that people write them', () => {
    const rows = [
      { email: 'alice@example.com', role: 'owner', endsAt, line: 2 },
      { email: 'bob@example.com', line: 3 },
    ];
    for (const names of ['end date,owner,email', 'End_Date,Owner,E-Mail', 'enddate,OWNER,EMAIL']) {
      expect(read(`${names}\n2026-12-31,yes,alice@example.com\n,no,bob@example.com`)).toEqual(rows);
    }
    expect(read('email,role\nalice@example.com,Member')).toEqual([
      { email: 'alice@example.com', role: 'member', line: 2 },
    ]);
  });

  test('may be as spreadsheets save it: semicolons, quotes, a mark of the byte order, lines of empty values', () => {
    const list = '\uFEFF"Email";"Owner";"End date"\r\n"alice@example.com";"TRUE";"2026-12-31"\r\n;;\r\n';
    expect(read(list)).toEqual([{ email: 'alice@example.com', role: 'owner', endsAt, line: 2 }]);
  });

  test('takes from the command line what counts for all', () => {
    const common: Common = { role: 'owner', replaceKeys: true, endsAt: 5 };
    expect(read('alice@example.com\n', common)).toEqual([{ email: 'alice@example.com', ...common, line: 1 }]);
    for (const list of ['email,role\na@example.com,', 'email,owner\na@example.com,', 'a@example.com,member']) {
      expect(errorsOf(list, { role: 'owner' })[1]).toMatch(/^Line 1: .* leave out --owner\.$/);
    }
    expect(errorsOf('email,end date\na@example.com,', { endsAt: 5 })[1]).toMatch(/^Line 1: .* leave out --end-date\.$/);
  });

  test('with errors is refused with all of them, by line', () => {
    const list = [
      'email,owner,end date',
      'alice,no',
      '',
      'bob@example.com,perhaps',
      'carol@example.com,,31.12.2026',
      'dora@example.com,no,,more',
      '"erna@example.com',
      'f"rank@example.com',
      `${'x'.repeat(1_001)}`,
      'greta@example.com,"yes"!',
    ];
    expect(errorsOf(list.join('\n'))).toEqual([
      'Nobody was invited, because the list has errors:',
      'Line 2: "alice" is not an e-mail address such as alice@example.com',
      'Line 4: "perhaps" does not say whether the person is an owner: yes or no does.',
      'Line 5: The end date "31.12.2026" is not a day such as 2026-12-31. Give the last day on which the person may sign in.',
      'Line 6: It has 4 values, and there are 3 columns.',
      'Line 7: It has a quote in the wrong place.',
      'Line 8: It has a quote in the wrong place.',
      'Line 9: It has more than 1000 characters.',
      'Line 10: It has a quote in the wrong place.',
      'Correct them, and run the command again.',
    ]);
  });

  const wrong: [string, string | Uint8Array, RegExp][] = [
    ['nothing in it', '', /^The list has no lines/],
    ['empty lines alone', '\n \n,,\n', /^The list has no lines/],
    ['names of columns alone', 'email,role\n', /no people/],
    ['an unknown column', 'email,onwer\nalice@example.com,yes', /^Line 1: .*"onwer" is no column/],
    ['a column twice', 'email,role,e-mail\nalice@example.com', /^Line 1: It names a column twice/],
    ['no column of addresses', 'role\nowner', /^Line 1: It names no column email/],
    ['both columns about owners', 'email,role,owner\nalice@example.com', /^Line 1: It names both role and owner/],
    ['another role', 'alice@example.com,admin', /^Line 1: "admin" is no role: there are member and owner/],
    ['UTF-16', Buffer.from('\uFEFFalice@example.com', 'utf16le'), /^The list is not text in UTF-8/],
    ['a byte too many', Buffer.alloc(LONGEST_LIST + 1, 'a'), /^The list has more than 1 MiB/],
    ['5,001 lines', 'a@example.com\n'.repeat(5_001), /^The list has 5001 lines, and at most 5000 are read/],
  ];
  for (const [what, list, said] of wrong) {
    test(`with ${what} is refused`, () => {
      const [first = '', second = ''] = errorsOf(list);
      expect(first.startsWith('Nobody') ? second : first).toMatch(said);
    });
  }

  test('of hostile text is read or refused at once', () => {
    for (const text of [
      '"'.repeat(999),
      '""'.repeat(499),
      `${'"",'.repeat(333)}`,
      ' '.repeat(999).concat('"'),
      ',"a'.repeat(300),
    ]) {
      expect(errorsOf(`a@example.com\n${text}x`)).toHaveLength(3);
    }
  });
});
