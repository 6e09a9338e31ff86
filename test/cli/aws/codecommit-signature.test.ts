import { createHash, createHmac } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { canonicalPath, signForCodeCommit } from '../../../cli/aws/codecommit-signature.ts';
import { codeCommitHost } from '../../../cli/aws/partitions.ts';
// Computed with awscli 1.45's awscli/customizations/codecommit.py, its clock set to `at`.
import vectors from './codecommit-signature.vectors.json' with { type: 'json' };

describe('the signature of a repository', () => {
  test.each(vectors)("is byte for byte what AWS's own helper makes: $host/$path", async (vector) => {
    const { accessKeyId, secretAccessKey, sessionToken, path, at } = vector;
    const target = codeCommitHost(vector.host);
    expect(target).toBeDefined();
    const answer = await signForCodeCommit(
      { accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) },
      { host: target?.host ?? '', region: target?.region ?? '', path, at: Date.parse(at) },
    );
    expect(answer).toEqual({ username: vector.username, password: vector.password });
  });

  test('equals an independent one, whatever is signed', async () => {
    const text = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' });
    const regions = fc.constantFrom('us-east-1', 'eu-west-3', 'us-gov-west-1', 'cn-north-1', 'ap-southeast-4');
    const time = fc.date({ min: new Date('2020-01-01'), max: new Date('2090-01-01'), noInvalidDate: true });
    await fc.assert(
      fc.asyncProperty(text, text, regions, text, time, async (id, secret, region, path, date) => {
        const host = `git-codecommit.${region}.amazonaws.com`;
        const at = date.getTime();
        const request = { host, region, path, at };
        const { password } = await signForCodeCommit({ accessKeyId: id, secretAccessKey: secret }, request);
        expect(password).toBe(independent(secret, request));
      }),
      { numRuns: 300 },
    );
  });

  test('percent-encodes the path as Signature Version 4 asks', () => {
    expect(canonicalPath('v1/repos/demo')).toBe('/v1/repos/demo');
    expect(canonicalPath('/v1/repos/demo/')).toBe('/v1/repos/demo/');
    expect(canonicalPath("v1/repos/a b(c)'*!é~_.-%")).toBe('/v1/repos/a%20b%28c%29%27%2A%21%C3%A9~_.-%25');
    expect(canonicalPath('v1/\ud800')).toBe('/v1/%EF%BF%BD');
  });
});

/** Signature Version 4 from its description, with nothing of ours. */
function independent(
  secret: string,
  { host, region, path, at }: { host: string; region: string; path: string; at: number },
) {
  const two = (value: number) => String(value).padStart(2, '0');
  const t = new Date(at);
  const day = `${t.getUTCFullYear()}${two(t.getUTCMonth() + 1)}${two(t.getUTCDate())}`;
  const date = `${day}T${two(t.getUTCHours())}${two(t.getUTCMinutes())}${two(t.getUTCSeconds())}`;
  let encoded = '/';
  for (const byte of Buffer.from(path.replace(/^\/+/, ''))) {
    const character = String.fromCharCode(byte);
    encoded += /[A-Za-z0-9._~/-]/.test(character) ? character : `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  }
  const canonical = ['GIT', encoded, '', `host:${host}`, '', 'host', ''].join('\n');
  const hash = createHash('sha256').update(canonical).digest('hex');
  const toSign = ['AWS4-HMAC-SHA256', date, `${day}/${region}/codecommit/aws4_request`, hash].join('\n');
  const mac = (key: string | Buffer, data: string) => createHmac('sha256', key).update(data).digest();
  const key = [day, region, 'codecommit', 'aws4_request'].reduce<Buffer | string>(mac, `AWS4${secret}`);
  return `${date}Z${mac(key, toSign).toString('hex')}`;
}
