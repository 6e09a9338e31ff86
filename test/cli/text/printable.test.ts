import { expect, test } from 'vitest';
import { putSession } from '../../../cli/agent/client/requests.ts';
import { jsonText } from '../../../cli/text/json-text.ts';
import { printable } from '../../../cli/text/printable.ts';
import { agentStatusCommand } from '../../../cli/vouch/commands/agent.ts';
import { status } from '../../../cli/vouch/commands/status.ts';
import { agent, hour } from '../agent/support.ts';
import { captured, newSession } from '../support.ts';

/** Characters that cannot be seen, or that move others on the screen. */
const unseen = [
  ['a control character', '\u0007'],
  ['an escape', '\u001b'],
  ['one of C1', '\u009b'],
  ['a soft hyphen', '\u00ad'],
  ['a joiner of graphemes', '\u034f'],
  ['an Arabic letter mark', '\u061c'],
  ['a Hangul filler', '\u3164'],
  ['a Mongolian vowel separator', '\u180e'],
  ['a space of no width', '\u200b'],
  ['a joiner', '\u200d'],
  ['a right-to-left mark', '\u200f'],
  ['a line separator', '\u2028'],
  ['a paragraph separator', '\u2029'],
  ['an override', '\u202e'],
  ['a word joiner', '\u2060'],
  ['an isolate', '\u2066'],
  ['an empty Braille pattern', '\u2800'],
  ['a variation selector', '\ufe0f'],
  ['a byte order mark', '\ufeff'],
  ['an annotation', '\ufff9'],
  ['a variation selector of a higher plane', '\u{e0100}'],
  ['a tag', '\u{e0041}'],
  ['half a character', '\ud800'],
] as const;

test.each(unseen)('%s is not in what is printed, nor in JSON', (_, character) => {
  expect(printable(`a${character}b`)).toBe('a b');
  expect(printable(`a${character}${character} \n b`)).toMatch(/^a +b$/);
  const value = { [`k${character}`]: [`a${character}b\n`] };
  for (const text of [jsonText(value), jsonText(value, 2)]) {
    expect(text).toMatch(/^[\x20-\x7e\n]*$/);
    expect(JSON.parse(text)).toEqual(value);
  }
});

test('what can be seen stays as it is', () => {
  const text = 'Zoë’s 鍵 «YubiKey» 🔑 مفتاح';
  expect(printable(text)).toBe(text);
  expect(jsonText({ text })).toBe(JSON.stringify({ text }));
  expect(jsonText({ a: [1, 'b'] }, 2)).toBe(JSON.stringify({ a: [1, 'b'] }, null, 2));
});

test.each(unseen)('%s in a key’s name shows nowhere', async (_, character) => {
  if (character === '\ud800') return;
  const the = await agent();
  const expiresAt = new Date(the.clock.now + 8 * hour).toISOString();
  const key = { name: `Work${character}key`, model: `Yubi${character}Key` };
  await putSession(newSession(the.world.url, { expiresAt, key }), the.env);
  for (const options of [{}, { json: true }]) {
    for (const command of [status, agentStatusCommand]) {
      const { out, io } = captured(the.env);
      expect(await command(options, io)).toBe(0);
      expect(out.stdout).not.toContain(character);
      expect(out.stdout).toContain(options.json ? 'Work\\u' : 'Work key');
    }
  }
});
