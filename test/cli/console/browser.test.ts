import { afterAll, beforeAll, expect, test } from 'vitest';
import { signInAddress } from '../../../cli/aws/console/sign-in-address.ts';
import { parseRoleArn } from '../../../cli/aws/role-arn.ts';
import { oneTimeAddress } from '../../../cli/console/one-time-address.ts';
import { privatePage } from '../../../cli/console/private-page.ts';
import { temporaryFolder } from '../../aws/fixtures.ts';
import { type LocalAws, startLocalAws } from '../../aws/start.ts';
import { type LaunchedBrowser, launchBrowser } from '../../browser/launch.ts';
import { machine } from '../support.ts';

let folder: Awaited<ReturnType<typeof temporaryFolder>>;
let aws: LocalAws;
let chromium: LaunchedBrowser;
beforeAll(async () => {
  folder = await temporaryFolder();
  aws = await startLocalAws({ folder: folder.path });
  chromium = await launchBrowser({ args: [`--proxy-server=${aws.proxyUrl}`, '--ignore-certificate-errors'] });
});
afterAll(async () => {
  await chromium?.close();
  await aws?.close();
  await folder?.remove();
});

/** An address that signs in to the console, from AWS. */
async function address(): Promise<URL> {
  const account = aws.account();
  const trustPolicy = {
    Version: '2012-10-17' as const,
    Statement: [{ Effect: 'Allow' as const, Principal: { AWS: '*' }, Action: 'sts:AssumeRole' }],
  };
  const role = account.role('Console') ?? account.addRole({ name: 'Console', trustPolicy });
  const arn = parseRoleArn(role.arn);
  if (arn === undefined) throw new Error('not an ARN');
  const credentials = aws.sessions.issue({
    account,
    role,
    name: 'alice@example.com',
    issuedAt: new Date(),
    expiration: new Date(Date.now() + 3600_000),
    provider: undefined,
    providerKeys: {},
    tags: {},
    transitiveTags: {},
    sourceIdentity: undefined,
  });
  return signInAddress({
    credentials,
    role: arn,
    region: 'eu-west-1',
    issuer: 'https://vouch.example.com',
    env: { HTTPS_PROXY: aws.proxyUrl, AWS_CA_BUNDLE: aws.caFile },
    signal: AbortSignal.timeout(30_000),
  });
}

/** Opens an address as a person does, and resolves with the headers of the request that reaches the console. (The proxy ends it there.) */
async function headersAtConsole(url: string): Promise<Record<string, string>> {
  const page = await chromium.browser.newPage();
  try {
    const arrived = page.waitForRequest((request) => new URL(request.url()).host === 'console.aws.amazon.com');
    void page.goto(url).catch(() => {});
    const request = await arrived;
    expect(request.url()).toBe('https://console.aws.amazon.com/console/home?region=eu-west-1');
    return request.headers();
  } finally {
    await page.close();
  }
}

test('a browser comes from the one-time address to the console, which does not learn where it was', async () => {
  const { url, taken, close } = await oneTimeAddress(await address());
  try {
    expect((await headersAtConsole(url)).referer).toBeUndefined();
    await taken;
  } finally {
    close();
  }
  expect(aws.log.at(-1)).toMatchObject({ service: 'signin', action: 'login', outcome: 'OK' });
});

test('a browser comes from the page on the disk to the console as well', async () => {
  const { url, remove } = privatePage(await address(), machine().folder);
  await headersAtConsole(url);
  remove();
  expect(aws.log.at(-1)).toMatchObject({ service: 'signin', action: 'login', outcome: 'OK' });
});
