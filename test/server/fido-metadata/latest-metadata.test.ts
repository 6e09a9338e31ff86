import { execFileSync } from 'node:child_process';
import { renameSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { pino } from 'pino';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { LatestMetadata } from '../../../server/fido-metadata/latest-metadata.ts';
import type { MetadataSource } from '../../../server/fido-metadata/source.ts';
import { openFile } from '../../../server/store/sqlite/open-store.ts';
import type { Store } from '../../../server/store/store.ts';
import { temporaryFolder } from '../../support/temporary-folder.ts';
import { type BlobSigner, makeBlobSigner, payloadOf, trustForMetadata } from '../metadata-blob.ts';

const HOUR = 3600_000;
const folder = temporaryFolder();

let signer: BlobSigner;
beforeAll(async () => {
  signer = await makeBlobSigner();
  trustForMetadata(signer);
});

const edition = (no: number, nextUpdate = '2126-01-01') => signer.sign(payloadOf({ no, nextUpdate }));

let files = 0;
const newPath = (name: string) => {
  files += 1;
  return join(folder, `${files}-${name}`);
};

/** A server's place: database, clock and log. */
async function newPlace() {
  const store = await openFile(newPath('vouch.db'));
  onTestFinished(() => store.destroy());
  const lines: Record<string, unknown>[] = [];
  const log = pino({ level: 'info', base: undefined }, { write: (line: string) => lines.push(JSON.parse(line)) });
  const clock = { now: Date.now() };
  const open = async (source: MetadataSource) => {
    const latest = await LatestMetadata.open(source, { store, log, now: () => clock.now });
    onTestFinished(() => latest.close());
    return latest;
  };
  return { store, clock, open, said: () => lines.splice(0).map(({ msg }) => String(msg)) };
}

const numberIn = async (store: Store) =>
  (await store.selectFrom('fido_metadata').select('number').executeTakeFirst())?.number;

/** A server whose answer may change, and the number of its requests. */
async function newServer(listener: RequestListener) {
  const state = { listener, requests: 0 };
  const server = createServer((request, response) => {
    state.requests += 1;
    state.listener(request, response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { state, url: `http://127.0.0.1:${(server.address() as AddressInfo).port}/` };
}

const answering =
  (text: string): RequestListener =>
  (_request, response) =>
    response.end(text);

describe('a file', () => {
  test('is read at the start, and again when it has changed', async () => {
    const { store, open, said } = await newPlace();
    const file = newPath('blob.jwt');
    writeFileSync(file, `${edition(3)}\n`);
    const latest = await open({ file });
    expect(latest.current.number).toBe(3);
    expect(await numberIn(store)).toBe(3);
    expect(said()).toEqual(['FIDO metadata']);

    expect(await latest.refresh()).toBe(false);
    writeFileSync(`${file}.new`, edition(4));
    renameSync(`${file}.new`, file);
    expect(await latest.refresh()).toBe(true);
    expect(latest.current.number).toBe(4);
    expect(await numberIn(store)).toBe(4);
    expect(said()).toEqual(['FIDO metadata']);
  });

  test('with an older edition than the known one is refused, also at the next start', async () => {
    const { store, open, said } = await newPlace();
    const file = newPath('blob.jwt');
    writeFileSync(file, edition(4));
    const latest = await open({ file });
    said();
    writeFileSync(file, edition(3));
    expect(await latest.refresh()).toBe(false);
    expect(said()).toEqual(['old FIDO metadata refused']);
    expect((await open({ file })).current.number).toBe(4);
    expect(said()).toEqual(['FIDO metadata', 'old FIDO metadata refused']);
    expect(await numberIn(store)).toBe(4);
  });

  test('that cannot be used later leaves the last good edition, and the log says so once', async () => {
    const { open, said } = await newPlace();
    const file = newPath('blob.jwt');
    writeFileSync(file, edition(4));
    const latest = await open({ file });
    said();
    const forged = (await makeBlobSigner()).sign(payloadOf({ no: 9 }));
    for (const wrong of ['', 'junk', forged, edition(9).slice(0, -9)]) {
      writeFileSync(file, wrong);
      for (let round = 0; round < 2; round += 1) expect(await latest.refresh()).toBe(false);
      expect(said()).toEqual(['FIDO metadata not read: keeping the old']);
    }
    rmSync(file);
    for (let round = 0; round < 2; round += 1) expect(await latest.refresh()).toBe(false);
    expect(said()).toEqual(['FIDO metadata not read: keeping the old']);
    expect(latest.current.number).toBe(4);
    expect((await open({ file })).current.number).toBe(4);
  });

  test('must be a good one at the first start', async () => {
    const { open } = await newPlace();
    const pipe = newPath('pipe');
    execFileSync('mkfifo', [pipe]);
    const junk = newPath('junk');
    writeFileSync(junk, 'junk');
    for (const file of [newPath('missing'), junk, pipe, folder]) {
      await expect(open({ file })).rejects.toMatchObject({
        kind: 'metadata-refused',
        category: 'failed',
        what: expect.stringContaining(file),
      });
    }
  });
});

describe('a URL', () => {
  test('is fetched at the first start, then once a day, and after an hour if that failed', async () => {
    const { clock, open, said } = await newPlace();
    const { state, url } = await newServer(answering(edition(1)));
    const latest = await open({ url });
    const asked = async (hours: number) => {
      clock.now += hours * HOUR;
      const before = state.requests;
      await latest.refresh();
      return state.requests - before;
    };
    expect(state.requests).toBe(1);
    expect([await asked(0), await asked(23), await asked(1), await asked(23)]).toEqual([0, 0, 1, 0]);

    state.listener = (_request, response) => response.writeHead(503).end();
    said();
    expect([await asked(1), await asked(0.9), await asked(0.1)]).toEqual([1, 0, 1]);
    expect(said()).toEqual(Array(2).fill('FIDO metadata not read: keeping the old'));
    expect(latest.current.number).toBe(1);

    state.listener = answering(edition(2));
    expect([await asked(1), await asked(23), await asked(1)]).toEqual([1, 0, 1]);
    expect(latest.current.number).toBe(2);
  });

  test('is not waited for at the next start, and not asked before its time', async () => {
    const { clock, open } = await newPlace();
    const { state, url } = await newServer(answering(edition(1)));
    await open({ url });
    state.listener = () => {};
    clock.now += 23 * HOUR;
    const again = await open({ url });
    expect(again.current.number).toBe(1);
    await again.refresh();
    expect(state.requests).toBe(1);
    // Nor when the clock was far ahead before.
    state.listener = answering(edition(2));
    clock.now -= 1000 * HOUR;
    expect(await again.refresh()).toBe(true);
  });

  test('that does not answer is given up when the server closes', async () => {
    const { clock, open, said } = await newPlace();
    const { state, url } = await newServer(answering(edition(1)));
    const latest = await open({ url });
    said();
    clock.now += 25 * HOUR;
    const asked = new Promise<void>((resolve) => {
      state.listener = () => resolve();
    });
    const refreshed = latest.refresh();
    await asked;
    await latest.close();
    expect(await refreshed).toBe(false);
    expect(said()).toEqual([]);
  });

  test('is not left for another one: a redirection could lead into our own network', async () => {
    const { open } = await newPlace();
    const asked: unknown[] = [];
    const { url } = await newServer((request, response) => {
      asked.push(request.url);
      if (request.url === '/there') response.end(edition(1));
      else response.writeHead(302, { location: '/there' }).end();
    });
    await expect(open({ url })).rejects.toMatchObject({ message: expect.stringContaining('status 302') });
    expect(asked).toHaveLength(1);
  });

  test('with another status, or an answer without an end, is no edition', async () => {
    const { open } = await newPlace();
    const { state, url } = await newServer((_request, response) => response.writeHead(404).end(edition(1)));
    await expect(open({ url })).rejects.toMatchObject({
      kind: 'metadata-refused',
      message: expect.stringContaining('status 404'),
    });
    state.listener = (_request, response) => {
      const chunk = Buffer.alloc(1024 * 1024, 'A');
      const more = () => {
        while (!response.destroyed && response.write(chunk));
      };
      response.on('drain', more);
      more();
    };
    await expect(open({ url })).rejects.toMatchObject({ message: expect.stringContaining('more than 33554432 bytes') });
  });
});

describe('of two instances', () => {
  test('one asks the URL, and the other finds the newer edition in the database', async () => {
    const { clock, open, said } = await newPlace();
    const { state, url } = await newServer(answering(edition(1)));
    const [first, second] = [await open({ url }), await open({ url })];
    said();
    state.listener = answering(edition(2));
    clock.now += 25 * HOUR;
    expect(await second.refresh({ fetches: false })).toBe(false);
    expect(await first.refresh()).toBe(true);
    expect(await second.refresh({ fetches: false })).toBe(true);
    expect([first, second].map(({ current }) => current.number)).toEqual([2, 2]);
    // When it takes the other one's place, it does not ask again before the time.
    clock.now += 23 * HOUR;
    expect(await second.refresh()).toBe(false);
    expect([state.requests, said()]).toEqual([2, ['FIDO metadata', 'FIDO metadata']]);
  });

  test('the one with the older file uses the newer edition of the other one, and does not replace it', async () => {
    const { store, open, said } = await newPlace();
    const [older, newer] = [newPath('blob.jwt'), newPath('blob.jwt')];
    for (const file of [older, newer]) writeFileSync(file, edition(1));
    const [behind, ahead] = [await open({ file: older }), await open({ file: newer })];
    writeFileSync(newer, edition(9));
    expect(await ahead.refresh()).toBe(true);
    said();
    writeFileSync(older, edition(2));
    expect(await behind.refresh()).toBe(true);
    expect([behind.current.number, await numberIn(store)]).toEqual([9, 9]);
    expect(said()).toEqual(['FIDO metadata', 'old FIDO metadata refused']);
  });
});

test('an edition whose successor is overdue is still used, with a warning', async () => {
  const { open, said } = await newPlace();
  const file = newPath('blob.jwt');
  writeFileSync(file, edition(1, '2020-01-01'));
  expect((await open({ file })).current.number).toBe(1);
  expect(said()).toEqual(['FIDO metadata', 'FIDO metadata is overdue, still used']);
});
