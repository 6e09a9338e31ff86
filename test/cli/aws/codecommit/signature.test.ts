import { clearCredentialCache, getSigningKey } from '@smithy/signature-v4';
import fc from 'fast-check';
import { describe, expect, test, vi } from 'vitest';
import { codeCommitHost } from '../../../../cli/aws/codecommit/hosts.ts';
import { CodeCommitSigner, canonicalPath } from '../../../../cli/aws/codecommit/signature.ts';
import { gitSignature } from '../../../aws/git-signature.ts';
import { hostOf } from '../../../aws/hosts.ts';
import { basicDate } from '../../../aws/sigv4.ts';
// Computed with awscli 1.45's awscli/customizations/codecommit.py, its clock set to `at`.
import vectors from './signature.vectors.json' with { type: 'json' };

vi.mock('@smithy/signature-v4', { spy: true });

describe('the signature of a repository', () => {
  test.each(vectors)("is byte for byte what AWS's own helper makes: $host/$path", async (vector) => {
    const { accessKeyId, secretAccessKey, sessionToken, path, at } = vector;
    const target = codeCommitHost(vector.host);
    expect(target).toBeDefined();
    const signer = new CodeCommitSigner({ accessKeyId, secretAccessKey, ...(sessionToken ? { sessionToken } : {}) });
    const request = { host: target?.host ?? '', region: target?.region ?? '', path, at: Date.parse(at) };
    const answer = await signer.sign(request);
    expect(answer).toEqual({ username: vector.username, password: vector.password });
  });

  test('equals that of the local CodeCommit, which has its own implementation, whatever is signed', async () => {
    const text = fc.string({ minLength: 1, maxLength: 40, unit: 'grapheme' });
    const path = fc.oneof(
      text,
      fc.string({ maxLength: 60, unit: 'binary' }),
      fc.constantFrom(
        'v1/repos/demo',
        'v1/repos/demo.git',
        'v1/repos/demo/',
        "v1/repos/a b'(c)*!%20",
        'v1//repos/../x',
      ),
    );
    const region = fc.constantFrom('us-east-1', 'eu-west-3', 'us-gov-west-1', 'cn-north-1', 'eusc-de-east-1');
    const kind = fc.record(
      { fips: fc.boolean(), endpoint: fc.stringMatching(/^vpce-[0-9a-f]{1,17}(-[a-z0-9]{1,8}){0,3}$/) },
      { requiredKeys: [] },
    );
    const time = fc.date({ min: new Date('2020-01-01'), max: new Date('2090-01-01'), noInvalidDate: true });
    await fc.assert(
      fc.asyncProperty(text, text, region, kind, path, time, async (id, secret, region, kind, path, date) => {
        const host = hostOf(region, kind);
        const at = date.getTime();
        // Any number of slashes at the start is one on the wire.
        const given = path.replace(/^\/+/, '');
        const request = { host, region, path, at };
        const { password } = await new CodeCommitSigner({ accessKeyId: id, secretAccessKey: secret }).sign(request);
        const signed = basicDate(date);
        const theirs = gitSignature({
          secretAccessKey: secret,
          date: signed.slice(0, -1),
          region,
          host,
          path: `/${given.toWellFormed()}`,
        });
        expect(password).toBe(`${signed}${theirs}`);
      }),
      { numRuns: 500 },
    );
  });

  test('is the same with a key that is kept as with a new one, also on the next day and in another region', async () => {
    const keys = { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' };
    const kept = new CodeCommitSigner(keys);
    const midnight = Date.parse('2026-03-01T00:00:00Z');
    const requests = ['us-east-1', 'us-east-1', 'eu-west-3', 'us-east-1'].flatMap((region) =>
      [midnight - 1000, midnight, midnight - 1].map((at) => ({ host: hostOf(region), region, path: 'demo', at })),
    );
    for (const request of requests)
      expect(await kept.sign(request)).toEqual(await new CodeCommitSigner(keys).sign(request));

    const [request] = requests;
    if (request === undefined) throw new Error('there is nothing to sign');
    const expected = await kept.sign(request);
    // Dropped while a caller waits for its key, and used once more.
    const dropped = new CodeCommitSigner(keys);
    const waiting = dropped.sign(request);
    dropped.drop();
    expect(await waiting).toEqual(expected);
    expect(await dropped.sign(request)).toEqual(expected);
    expect(await Promise.all(requests.map((each) => kept.sign(each)))).toEqual(
      await Promise.all(requests.map((each) => dropped.sign(each))),
    );
  });

  test('derives its key once for a day and a region, keeps none after it was dropped, and leaves none with the library', async () => {
    vi.clearAllMocks();
    const derived = () => vi.mocked(getSigningKey).mock.calls.length;
    const at = Date.parse('2026-03-01T12:00:00Z');
    const request = { host: hostOf('us-east-1'), region: 'us-east-1', path: 'demo', at };
    const signer = new CodeCommitSigner({ accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' });
    await signer.sign(request);
    await signer.sign({ ...request, path: 'other', at: at + 1000 });
    expect(derived()).toBe(1);
    await signer.sign({ ...request, region: 'eu-west-3' });
    await signer.sign({ ...request, at: at + 86_400_000 });
    expect(derived()).toBe(3);

    const waiting = signer.sign(request);
    signer.drop();
    await waiting;
    await signer.sign(request);
    await signer.sign(request);
    expect(derived()).toBe(6);
    expect(vi.mocked(clearCredentialCache)).toHaveBeenCalledTimes(6);
  });

  test('has the host as it came and without its port', async () => {
    const sign = (value: string) => {
      const { host, region } = codeCommitHost(value) ?? { host: '', region: '' };
      const request = { host, region, path: 'v1/repos/demo', at: 0 };
      return new CodeCommitSigner({ accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'secret' }).sign(request);
    };
    const name = 'git-codecommit.us-east-1.amazonaws.com';
    expect(await sign(`${name}:8443`)).toEqual(await sign(name));
    expect(await sign(name.toUpperCase())).not.toEqual(await sign(name));
  });

  test('percent-encodes the path as Signature Version 4 requires', () => {
    expect(canonicalPath('//v1/repos/demo')).toBe('/v1/repos/demo');
    expect(canonicalPath('v1/repos/demo')).toBe('/v1/repos/demo');
    expect(canonicalPath('/v1/repos/demo/')).toBe('/v1/repos/demo/');
    expect(canonicalPath("v1/repos/a b(c)'*!é~_.-%")).toBe('/v1/repos/a%20b%28c%29%27%2A%21%C3%A9~_.-%25');
    expect(canonicalPath('v1/\ud800')).toBe('/v1/%EF%BF%BD');
  });
});
