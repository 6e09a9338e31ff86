import 'reflect-metadata';
import { once } from 'node:events';
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CRLDistributionPointsExtension, X509CrlGenerator } from '@peculiar/x509';
import { afterEach, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { verifyBlob } from '../../../server/fido-metadata/blob.ts';
import { makeAuthority, makeCertificate } from '../make-certificates.ts';
import { type BlobSigner, makeBlobSigner, modelEntry, payloadOf, trustForMetadata } from '../metadata-blob.ts';

const AAGUID = '2fc0579f-8113-47ea-b116-bb5a8db9202a';
const NOW = Date.now();
const payload = payloadOf({ no: 7, entries: [modelEntry({ aaguid: AAGUID })] });

let signer: BlobSigner;
beforeAll(async () => {
  signer = await makeBlobSigner();
});
afterEach(() => trustForMetadata(signer));

const verify = (blob: string, now = NOW, milliseconds = 10_000) => verifyBlob(blob, now, milliseconds);

test('an edition that FIDO’s Metadata Service signed is read', async () => {
  trustForMetadata(signer);
  const metadata = await verify(signer.sign(payload));
  expect(metadata.number).toBe(7);
  expect([...metadata.models.keys()]).toEqual([AAGUID]);
});

describe('an edition is refused', () => {
  const wrong: [string, (good: string) => string | Promise<string>, RegExp][] = [
    ['that is empty', () => '', /not a signed edition/],
    ['that is not a JWT', () => 'a.b', /not a signed edition/],
    ['with a part too many', (good) => `${good}.x`, /not a signed edition/],
    ['that is longer than 32 MiB', (good) => good + 'A'.repeat(32 * 1024 * 1024), /not a signed edition/],
    ['without certificates', () => signer.sign(payload, { x5c: undefined }), /no certificates/],
    ['with an empty list of them', () => signer.sign(payload, { x5c: [] }), /does not lead to a trusted one/],
    ['with a hundred of them', () => signer.sign(payload, { x5c: Array(100).fill('AAAA') }), /no certificates/],
    ['with junk for a certificate', () => signer.sign(payload, { x5c: ['AAAA'] }), /./],
    ['that another root’s authority signed', async () => (await makeBlobSigner()).sign(payload), /does not lead/],
    [
      'that somebody else signed, whom the same root certifies',
      async () => {
        const other = await makeBlobSigner({ subject: 'C=US, O=Somebody, CN=www.example.com' });
        trustForMetadata(other);
        return other.sign(payload);
      },
      /not that of FIDO’s Metadata Service/,
    ],
    [
      'that somebody signed who certifies himself as the Metadata Service',
      async () => {
        const own = await makeAuthority('Own');
        const leaf = await makeCertificate({ subject: 'CN=mds.fidoalliance.org', by: own });
        return signer.sign(payload, { x5c: [leaf, own].map(({ der }) => der.toString('base64')) });
      },
      /does not lead/,
    ],
    [
      'when its certificate has expired',
      async () => {
        const expired = await makeBlobSigner({ notAfter: new Date(NOW - 1) });
        trustForMetadata(expired);
        return expired.sign(payload);
      },
      /is not valid now/,
    ],
    [
      'when its payload was changed',
      (good) => {
        const [header, , signature] = good.split('.');
        return [header, Buffer.from(JSON.stringify(payloadOf({ no: 8 }))).toString('base64url'), signature].join('.');
      },
      /signature/,
    ],
    ['when its signature was cut off', (good) => good.replace(/\.[^.]*$/, '.'), /./],
    ['with the algorithm none', () => signer.sign(payload, { alg: 'none' }), /./],
    ['with a shared secret’s algorithm', () => signer.sign(payload, { alg: 'HS256' }), /./],
    ['whose payload is something else', () => signer.sign({ no: 7 }), /./],
  ];
  for (const [name, make, reason] of wrong) {
    test(name, async () => {
      trustForMetadata(signer);
      const blob = await make(signer.sign(payload));
      await expect(verify(blob)).rejects.toThrow(reason);
    });
  }

  test('when no root is trusted', async () => {
    trustForMetadata(await makeBlobSigner());
    await expect(verify(signer.sign(payload))).rejects.toThrow('does not lead');
  });
});

describe('the list of revoked certificates', () => {
  /** A signer whose certificate names a list that is at a server. */
  async function withList(answer: (request: IncomingMessage, response: ServerResponse) => unknown) {
    const lists = createServer((request, response) => void answer(request, response));
    await new Promise<void>((resolve) => lists.listen(0, '127.0.0.1', resolve));
    onTestFinished(() => {
      lists.closeAllConnections();
      lists.close();
    });
    const url = `http://127.0.0.1:${(lists.address() as AddressInfo).port}/list.crl`;
    const made = await makeBlobSigner({ extensions: [new CRLDistributionPointsExtension([url])] });
    trustForMetadata(made);
    return made;
  }

  async function list({ authority }: BlobSigner, serialNumbers: string[], by = authority): Promise<Buffer> {
    const made = await X509CrlGenerator.create({
      issuer: authority.subject,
      thisUpdate: new Date(NOW - 1000),
      nextUpdate: new Date(NOW + 3_600_000),
      entries: serialNumbers.map((serialNumber) => ({ serialNumber })),
      signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
      signingKey: by.keys.privateKey,
    });
    return Buffer.from(made.rawData);
  }

  test('refuses an edition whose certificate is in it, and no other', async () => {
    for (const revoked of [true, false]) {
      const made: BlobSigner = await withList(async (_, response) =>
        response.end(await list(made, revoked ? ['1234', made.serialNumber] : ['1234'])),
      );
      const verified = verify(made.sign(payload));
      if (revoked) await expect(verified).rejects.toThrow('was revoked');
      else expect((await verified).number).toBe(7);
    }
  });

  test('refuses an edition if another authority has signed it', async () => {
    const other = await makeAuthority('Other');
    const made: BlobSigner = await withList(async (_, response) => response.end(await list(made, [], other)));
    await expect(verify(made.sign(payload))).rejects.toThrow('not signed by their authority');
  });

  test('that does not come in time ends the wait', async () => {
    const made = await withList(() => {});
    await expect(verify(made.sign(payload), NOW, 50)).rejects.toThrow('do not come in time');
  });

  test('that never ends, or is none, does not count: it comes over plain HTTP, where anybody can answer', async () => {
    let sent = 0;
    const endless = await withList(async (_, response) => {
      const junk = Buffer.alloc(1024 * 1024);
      while (!response.destroyed) {
        sent += junk.length;
        if (!response.write(junk)) await Promise.race([once(response, 'drain'), once(response, 'close')]);
      }
    });
    expect((await verify(endless.sign(payload))).number).toBe(7);
    // What was read, and what waits in the buffers of the system.
    expect(sent).toBeLessThan(64 * 1024 * 1024);
    const junk = await withList((_, response) => response.end('junk'));
    expect((await verify(junk.sign(payload))).number).toBe(7);
  });

  test('is not looked for where a redirection leads, which may be within our own network', async () => {
    const asked: unknown[] = [];
    const made = await withList(({ url }, response) => {
      asked.push(url);
      response.writeHead(302, { location: '/elsewhere' }).end();
    });
    expect((await verify(made.sign(payload))).number).toBe(7);
    expect(asked).toEqual(['/list.crl']);
  });

  test('is not asked for before the signature is right', async () => {
    const asked: unknown[] = [];
    const made = await withList(({ url }, response) => {
      asked.push(url);
      response.end();
    });
    const [header, , signature] = made.sign(payload).split('.');
    const changed = Buffer.from(JSON.stringify(payloadOf({ no: 8 }))).toString('base64url');
    await expect(verify([header, changed, signature].join('.'))).rejects.toThrow('signature');
    expect(asked).toEqual([]);
  });
});
