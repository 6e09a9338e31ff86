import { afterAll, beforeAll, expect, test } from 'vitest';
import { readMetadata } from '../../../server/fido-metadata/metadata.ts';
import { AccountPage } from '../account/account-page.ts';
import { modelEntry, PNG_URL, payloadOf } from '../metadata-blob.ts';
import { SoftKey } from '../soft-key.ts';
import { Enrolment, expectProblem, inviteCode, jsonOf, newEmail, startServer, type TestServer } from '../support.ts';

const MODEL = '2fc0579f-8113-47ea-b116-bb5a8db9202a';
const NO_ICON = 'ee882879-721c-4913-9775-3dfcce97072a';
const SVG = 'c5ef55ff-ad9a-4b9f-b580-adebafe026d0';

let server: TestServer;
beforeAll(async () => {
  server = await startServer();
  const metadata = readMetadata(
    payloadOf({
      entries: [
        modelEntry({ aaguid: MODEL, icon: PNG_URL }),
        modelEntry({ aaguid: NO_ICON }),
        modelEntry({ aaguid: SVG, icon: `data:image/svg+xml;base64,${Buffer.from('<svg/>').toString('base64')}` }),
      ],
    }),
  );
  const { keyPolicy } = server.context;
  server.context.keyPolicy = () => ({ ...keyPolicy(), metadata });
});
afterAll(() => server.close());

const get = (path: string) => fetch(server.origin + path);

test('the picture of a model is a PNG that browsers keep, and nothing but a picture to them', async () => {
  const response = await get(`/key-icons/${MODEL}`);
  expect(response.status).toBe(200);
  expect(Object.fromEntries(response.headers)).toMatchObject({
    'content-type': 'image/png',
    'cache-control': 'public, max-age=604800',
    'x-content-type-options': 'nosniff',
    'content-security-policy': expect.stringContaining("default-src 'none'"),
  });
  expect(Buffer.from(await response.arrayBuffer())).toEqual(Buffer.from(PNG_URL.split(',')[1] ?? '', 'base64'));
});

test('there is none for a model without a PNG, and for anything else', async () => {
  const wrong = [
    NO_ICON,
    SVG,
    MODEL.toUpperCase(),
    '00000000-0000-0000-0000-000000000000',
    'constructor',
    '..%2f..%2fetc',
  ];
  for (const aaguid of wrong) await expectProblem(await get(`/key-icons/${aaguid}`), 404, 'not-found');
});

test('my account names the model and its picture', async () => {
  const key = new SoftKey(server.origin, { aaguid: MODEL });
  const enrolment = await Enrolment.open(server.origin, await inviteCode(server, newEmail()));
  await jsonOf(await enrolment.register(key));
  const account = await AccountPage.signIn(server.origin, key);
  await jsonOf(await account.addKey(new SoftKey(server.origin, { aaguid: NO_ICON }), 'Spare'));
  expect(await account.keys()).toMatchObject([
    { model: 'Test Key 3000', icon: `/key-icons/${MODEL}` },
    { model: 'Test Key 3000', icon: null },
  ]);
});
