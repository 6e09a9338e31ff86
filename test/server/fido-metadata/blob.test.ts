import 'reflect-metadata';
import { createServer } from 'node:http';
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
  async function withList(answer: () => Promise<ArrayBuffer | undefined>) {
    const lists = createServer(async (_request, response) => {
      const list = await answer();
      if (list !== undefined) response.end(Buffer.from(list));
    });
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

  test('refuses an edition whose certificate is in it, and no other', async () => {
    for (const revoked of [true, false]) {
      const made: BlobSigner = await withList(async () => {
        const list = await X509CrlGenerator.create({
          issuer: made.authority.subject,
          thisUpdate: new Date(NOW - 1000),
          nextUpdate: new Date(NOW + 3_600_000),
          entries: revoked ? [{ serialNumber: made.serialNumber }] : [],
          signingAlgorithm: { name: 'ECDSA', hash: 'SHA-256' },
          signingKey: made.authority.keys.privateKey,
        });
        return list.rawData;
      });
      const verified = verify(made.sign(payload));
      if (revoked) await expect(verified).rejects.toThrow('certificate path');
      else expect((await verified).number).toBe(7);
    }
  });

  test('that does not come in time ends the wait', async () => {
    const made = await withList(async () => undefined);
    await expect(verify(made.sign(payload), NOW, 50)).rejects.toThrow('do not come in time');
  });
});
