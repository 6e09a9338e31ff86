import { describe, expect, test } from 'vitest';
import { findProfile, hasSettings, putDefault, putProfile, removeProfile } from '../../../../cli/aws/config/edit.ts';
import { linesOf, settingsOf } from '../../../../cli/aws/config/lines.ts';

/** The settings of the profiles of that name, one map each. */
const profiles = (text: string, name: string) => {
  const lines = linesOf(text);
  return findProfile(lines, name).map((section) => Object.fromEntries(settingsOf(lines, section)));
};

describe('a profile is found', () => {
  test.each([
    ['[profile x]', 'x'],
    ['[profile   x]', 'x'],
    ['[profile x ]', 'x'],
    ['[profile\tx ]', 'x'],
    ['[profile x] # mine', 'x'],
    ['[profile "x y"]', 'x y'],
    ["[profile 'x']", 'x'],
    ['[default]', 'default'],
    ['[profile default]', 'default'],
  ])('by the header %s', (header, name) => {
    expect(profiles(`[other]\na = 1\n${header}\nb = 2\n[next]\nc = 3\n`, name)).toEqual([{ b: '2' }]);
  });

  test.each([
    ['[x]'],
    ['[profilex]'],
    ['[sso-session x]'],
    ['[my profile x]'],
    ['[profile x y]'],
    ['[profile "x" y]'],
    ['[profile X]'],
    ['# [profile x]'],
    ['a = [profile x]'],
    ['[y]\na = 1\n  [profile x]'],
    ['[profile x'],
    ['[ profile x]'],
    ['[ default ]'],
  ])('not by %s', (header) => {
    for (const name of ['x', 'default']) expect(profiles(`${header}\nb = 2\n`, name)).toEqual([]);
  });

  test('as often as the file has it, each up to the next header of any kind', () => {
    const text = '[profile x]\na = 1\n[sso-session s]\nb = 2\n[profile x]\nc = 3\n\n# end\n';
    expect(findProfile(linesOf(text), 'x')).toMatchObject([
      { start: 0, end: 2 },
      { start: 4, end: 8 },
    ]);
  });
});

test("a profile's settings are its own lines, trimmed, with their names in lower case", () => {
  const text =
    '[profile x]\r\nRole_ARN=r\r\n  region = indented\noutput   =  a = b \t\n# note = c\n; note = d\n= e\nnothing\ns3 =\n    k = v\nempty =\n';
  expect(profiles(text, 'x')).toEqual([{ role_arn: 'r', output: 'a = b', s3: '', empty: '' }]);
});

test.each([
  ['what is wanted', { credential_process: 'p', region: 'r' }, true],
  ['what does not concern us beside it', { credential_process: 'p', region: 'r', output: 'json' }, true],
  ['less', { credential_process: 'p' }, false],
  ['something else', { credential_process: 'p', region: 's' }, false],
  ['something that contradicts', { credential_process: 'p', region: 'r', role_arn: 'a' }, false],
])('a profile that says %s, %j: %s', (_, settings, expected) => {
  expect(hasSettings(new Map(Object.entries(settings)), { credential_process: 'p', region: 'r' })).toBe(expected);
});

test('a region that nobody asked for is not a contradiction', () => {
  const settings = new Map(Object.entries({ credential_process: 'p', region: 'r' }));
  expect(hasSettings(settings, { credential_process: 'p' })).toBe(true);
});

describe('a profile is put', () => {
  const wanted = { credential_process: 'p', region: 'r' };
  const ours = 'credential_process = p\nregion = r\n';

  test.each([
    ['into an empty file', '', 'x', `[profile x]\n${ours}`],
    ['as the default one', '', 'default', `[default]\n${ours}`],
    ['after a blank line', '[a]\n', 'x', `[a]\n\n[profile x]\n${ours}`],
    ['after a line without an end', '[a]', 'x', `[a]\n\n[profile x]\n${ours}`],
    ['under a header without an end', '[a]\n[profile x]', 'x', `[a]\n[profile x]\n${ours}`],
    ['with Windows line ends', '[profile x]\r\n', 'x', `[profile x]\r\n${ours.replaceAll('\n', '\r\n')}`],
    [
      'in the place of the old settings, in any case and form',
      '[profile x] # mine\nCredential_Process=q\nREGION=s\nrole_arn  = a\nsso_session =\noutput = json\n# role_arn = b\n\n[profile y]\nregion = z\n',
      'x',
      `[profile x] # mine\n${ours}output = json\n# role_arn = b\n\n[profile y]\nregion = z\n`,
    ],
    [
      'beside nested settings, which stay',
      '[profile x]\ns3 =\n  region = q\n\tcredential_process = q\n',
      'x',
      `[profile x]\n${ours}s3 =\n  region = q\n\tcredential_process = q\n`,
    ],
    [
      'as far in as the settings that are there, not as a comment or what continues a setting',
      '[profile x]\n\t# c\n  output = json\n    more\n',
      'x',
      `[profile x]\n${ours.replaceAll(/^(?=.)/gm, '  ')}\t# c\n  output = json\n    more\n`,
    ],
  ])('%s', (_, before, name, after) => {
    expect(putProfile(before, name, wanted)).toBe(after);
    expect(putProfile(after, name, wanted)).toBe(after);
  });

  test('and keeps its region unless another is given', () => {
    expect(putProfile('[profile x]\nregion = s\n', 'x', { role_arn: 'a' })).toBe(
      '[profile x]\nrole_arn = a\nregion = s\n',
    );
  });
});

describe('a profile is made the default', () => {
  test.each([
    ['', '[a]\n[profile x] # mine\nb = c\n[d]\n', '[a]\n[profile x] # mine\nvouch_default = true\nb = c\n[d]\n'],
    [' with Windows line ends', '[profile x]\r\nb = c\n', '[profile x]\r\nvouch_default = true\r\nb = c\n'],
    [' with indented settings', '[profile x]\n# a\n  b = c\n', '[profile x]\n  vouch_default = true\n# a\n  b = c\n'],
    [' whose header ends the file', '[profile x]', '[profile x]\nvouch_default = true\n'],
  ])('%s', (_, before, after) => {
    expect(putDefault(before, 'x')).toBe(after);
  });

  test.each([
    ['not there', '[profile y]\nb = c\n'],
    ['there twice', '[profile x]\nb = c\n[profile x]\n'],
  ])('not when it is %s', (_, text) => {
    expect(putDefault(text, 'x')).toBe(text);
  });
});

describe('a profile is removed', () => {
  test.each([
    ['that is all', '[profile x]\na = b\n', ''],
    ['and the blank line before it', '[y]\nc = d\n\n[profile x]\na = b\n', '[y]\nc = d\n'],
    ['and a line of blanks before it', '[y]\nc = d\n \t\n[profile x]\na = b', '[y]\nc = d\n'],
    ['and no line with something', '[y]\nc = d\n[profile x]\na = b\n', '[y]\nc = d\n'],
    ['and one of the blank lines around it', '[y]\n\n[profile x]\na = b\n\n[z]\n', '[y]\n\n[z]\n'],
    ['and no blank line that parts others', '[y]\n\n[profile x]\na = b\n[z]\n', '[y]\n\n[z]\n'],
    ['and no comment behind it', '[profile x]\na = b\n # c\n;d\n\n# e\n[z]\n', ' # c\n;d\n\n# e\n[z]\n'],
    ['with the comments in it', '[profile x]\n# c\na = b\n[z]\n', '[z]\n'],
    ['whose settings are nested', '[profile x]\ns3 =\n  a = b\n[z]\n', '[z]\n'],
    ['without settings, but not its comment', '[profile x]\n# c\n', '# c\n'],
    ['at the beginning, but no blank line behind it', '[profile x]\na = b\n\n[z]\n', '\n[z]\n'],
  ])('%s', (_, before, after) => {
    expect(removeProfile(before, 'x')).toBe(after);
  });

  test('only if it is there', () => {
    expect(removeProfile('[y]\n\n', 'x')).toBe('[y]\n\n');
  });
});

test.each([
  ['', []],
  ['a', ['a']],
  ['a\n', ['a\n']],
  ['a\r\n\n b', ['a\r\n', '\n', ' b']],
])('the lines of %j', (text, lines) => {
  expect(linesOf(text)).toEqual(lines);
});
