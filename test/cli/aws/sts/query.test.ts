import { Agent, createServer, type IncomingHttpHeaders, type ServerResponse } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { STSClient } from '@aws-sdk/client-sts';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { stsUrl } from '../../../../cli/aws/sts/endpoint.ts';
import { askSts, longestAnswer, NotStsError, readAnswer, StsError, textAt } from '../../../../cli/aws/sts/query.ts';
import { Outage } from '../../../../cli/network/outage.ts';

describe('where STS is', () => {
  test.each([
    ['us-east-1', {}, 'https://sts.us-east-1.amazonaws.com/'],
    ['cn-north-1', {}, 'https://sts.cn-north-1.amazonaws.com.cn/'],
    ['eusc-de-east-1', {}, 'https://sts.eusc-de-east-1.amazonaws.eu/'],
    ['us-west-2', { AWS_USE_FIPS_ENDPOINT: 'true' }, 'https://sts-fips.us-west-2.amazonaws.com/'],
    ['us-gov-west-1', { AWS_USE_FIPS_ENDPOINT: 'true' }, 'https://sts.us-gov-west-1.amazonaws.com/'],
    ['us-east-1', { AWS_ENDPOINT_URL: 'http://127.0.0.1:1' }, 'http://127.0.0.1:1/'],
    [
      'us-east-1',
      { AWS_ENDPOINT_URL: 'http://127.0.0.1:1', AWS_ENDPOINT_URL_STS: 'http://127.0.0.1:2/sts' },
      'http://127.0.0.1:2/sts',
    ],
    ['us-east-1', { AWS_ENDPOINT_URL_STS: 'https://sts.example.com/sts' }, 'https://sts.example.com/sts'],
    [
      'us-east-1',
      { AWS_ENDPOINT_URL_STS: 'http://127.0.0.1:2/sts', AWS_IGNORE_CONFIGURED_ENDPOINT_URLS: 'true' },
      'https://sts.us-east-1.amazonaws.com/',
    ],
  ])('for %s and %o', (region, env, url) => {
    expect(stsUrl(region, env).href).toBe(url);
  });

  const yesOrNo = [false, true];
  test.each(
    ['us-east-1', 'eu-central-1', 'us-gov-west-1', 'cn-north-1', 'eusc-de-east-1'].flatMap((region) =>
      yesOrNo.flatMap((fips) => yesOrNo.map((dualStack) => [region, fips, dualStack] as const)),
    ),
  )('is where AWS’s SDK has it: %s, FIPS %s, dual stack %s', (Region, UseFIPS, UseDualStack) => {
    const { endpointProvider } = new STSClient({ region: Region }).config;
    const env = { AWS_USE_FIPS_ENDPOINT: `${UseFIPS}`, AWS_USE_DUALSTACK_ENDPOINT: `${UseDualStack}` };
    expect(stsUrl(Region, env).href).toBe(endpointProvider({ Region, UseFIPS, UseDualStack }).url.href);
  });

  test.each([
    'not a url',
    'ftp://sts.example.com',
    'sts.example.com',
    'http://sts.example.com',
    'http://127.0.0.1.example.com',
  ])('is not %s, which is said at once', (wrong) => {
    for (const name of ['AWS_ENDPOINT_URL_STS', 'AWS_ENDPOINT_URL']) {
      const url = () => stsUrl('us-east-1', { [name]: wrong });
      expect(url).toThrow(
        expect.objectContaining({ kind: 'endpoint', exitCode: 1, what: expect.stringContaining(name) }),
      );
      expect(url).not.toThrow(Outage);
    }
  });

  test('is not known for a region of nowhere', () => {
    const url = () => stsUrl('mars-north-1x', {});
    expect(url).toThrow(expect.objectContaining({ kind: 'endpoint', what: expect.stringContaining('mars-north-1x') }));
    expect(url).not.toThrow(Outage);
  });
});

const namespace = 'xmlns="https://sts.amazonaws.com/doc/2011-06-15/"';
const error = (code: string, message: string) =>
  `<ErrorResponse ${namespace}><Error><Type>Sender</Type><Code>${code}</Code><Message>${message}</Message></Error></ErrorResponse>\n`;

describe('an answer', () => {
  test('is read by the names of its elements, and what is escaped is as it was', () => {
    const text = `<?xml version="1.0"?>\n<AskResponse ${namespace}><AskResult><A>1&lt;2 &amp;&#39;&#x41;&quot;</A><B></B></AskResult></AskResponse>\n`;
    expect(readAnswer('Ask', 200, text)).toEqual({ A: '1<2 &\'A"', B: '' });
  });

  test('that refuses is an error of that name', () => {
    const refused = () => readAnswer('Ask', 403, error('AccessDenied', 'Not &quot;you&quot;'));
    expect(refused).toThrow(StsError);
    expect(refused).toThrow(
      expect.objectContaining({
        name: 'AccessDenied',
        message: 'Not "you"',
        $fault: 'client',
        $metadata: { httpStatusCode: 403 },
      }),
    );
  });

  test.each([
    ['that is cut off', 200, `<AskResponse ${namespace}><AskResult><A>1</A></AskResult>`],
    ['to something else', 200, `<OtherResponse ${namespace}><A>1</A></OtherResponse>`],
    ['that is not XML', 200, 'AskResponse'],
    ['without a result', 200, `<AskResponse ${namespace}><B>1</B></AskResponse>`],
    ['of a proxy', 407, '<html><body>Who are you?</body></html>'],
    ['that names no error', 400, error('', '').replace('<Code></Code>', '')],
  ])('%s is not from STS', (_what, status, text) => {
    expect(() => readAnswer('Ask', status, text)).toThrow(NotStsError);
  });

  test.each([
    [429, 'client'],
    [500, 'server'],
    [503, 'server'],
  ] as const)('with status %i and no word says whose failure it is: %s', (status, $fault) => {
    for (const text of ['', error('Busy', '')]) {
      expect(() => readAnswer('Ask', status, text)).toThrow(
        expect.objectContaining({ $fault, $metadata: { httpStatusCode: status }, $response: { headers: {} } }),
      );
    }
  });

  test('of 400 is a refusal when it names one', () => {
    expect(() => readAnswer('Ask', 400, error('Bad', 'x'))).toThrow(expect.objectContaining({ Code: 'Bad' }));
  });

  test.each([
    [200, error('Bad', 'x')],
    [399, error('Bad', 'x')],
    [201, '<AskResponse><AskResult><A>1</A></AskResult></AskResponse>'],
    [428, ''],
    [499, ''],
    [400, '<ErrorResponse><Error><Code>A</Code><Code>B</Code></Error></ErrorResponse>'],
    [400, '<ErrorResponse><Error>A</Error></ErrorResponse>'],
  ])('of %i with %j is not from STS, and only its status is reported', (status, text) => {
    expect(() => readAnswer('Ask', status, text)).toThrow(
      expect.objectContaining({ name: 'NotStsError', $response: { statusCode: status } }),
    );
  });

  test('has no element but those that it brought', () => {
    expect(textAt({ A: 'x' }, 'A')).toBe('x');
    expect(textAt('x', 'length')).toBeUndefined();
    expect(textAt({ A: 'x' }, 'constructor', 'name')).toBeUndefined();
    expect(textAt({ A: ['x'] }, 'A', '0')).toBeUndefined();
    expect(textAt(undefined, 'A')).toBeUndefined();
  });
});

/** An STS that gives the answer of the test. */
async function sts(answer: (response: ServerResponse) => void) {
  const asked: { url: string | undefined; headers: IncomingHttpHeaders; body: URLSearchParams }[] = [];
  const server = createServer(async (request, response) => {
    let body = '';
    for await (const chunk of request) body += chunk;
    asked.push({ url: request.url, headers: request.headers, body: new URLSearchParams(body) });
    answer(response);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return { asked, env: { AWS_ENDPOINT_URL_STS: `http://127.0.0.1:${(server.address() as AddressInfo).port}` } };
}

const ask = (env: NodeJS.ProcessEnv, signal = AbortSignal.timeout(20_000)) =>
  askSts('Ask', { Token: 'a&b c' }, { region: 'us-east-1', env, signal });

test('asks with a form', async () => {
  const { asked, env } = await sts((response) =>
    response.end('<AskResponse><AskResult><A>1</A></AskResult></AskResponse>'),
  );
  expect(await ask(env)).toEqual({ A: '1' });
  expect(asked).toMatchObject([
    {
      url: '/',
      headers: {
        'content-type': 'application/x-www-form-urlencoded; charset=utf-8',
        'user-agent': expect.stringMatching(/^vouch\/\d/),
      },
    },
  ]);
  expect(Object.fromEntries(asked[0]?.body ?? [])).toEqual({ Action: 'Ask', Version: '2011-06-15', Token: 'a&b c' });
});

test('goes through the agent that it is given', async () => {
  const { asked, env } = await sts((response) =>
    response.end('<AskResponse><AskResult><A>1</A></AskResult></AskResponse>'),
  );
  const agent = new Agent();
  const connect = vi.spyOn(agent, 'createConnection');
  const signal = AbortSignal.timeout(20_000);
  expect(await askSts('Ask', {}, { region: 'us-east-1', env, signal, agent })).toEqual({ A: '1' });
  expect([connect.mock.calls.length, asked.length]).toEqual([1, 1]);
});

test('uses TLS if the address has https', async () => {
  const first = new Promise<number | undefined>((resolve) => {
    const server = createTcpServer((socket) => {
      socket.on('error', () => {});
      socket.once('data', (bytes) => {
        resolve(bytes[0]);
        socket.destroy();
      });
    });
    server.listen(0, '127.0.0.1', () => {
      ask({ AWS_ENDPOINT_URL_STS: `https://127.0.0.1:${(server.address() as AddressInfo).port}` }).catch(() => {});
    });
    onTestFinished(() => void server.close());
  });
  // A record with a handshake (RFC 8446, section 5.1).
  expect(await first).toBe(22);
});

test('takes no answer without end', async () => {
  const { env } = await sts((response) => {
    const more = () => response.write('x'.repeat(64 * 1024), (failed) => failed ?? more());
    more();
  });
  await expect(ask(env)).rejects.toThrow(NotStsError);
});

test('takes an answer of 64 KiB, and not of a byte more', async () => {
  const answer = (length: number) => {
    const [before, after] = ['<AskResponse><AskResult><A>', '</A></AskResult></AskResponse>'];
    return before + 'x'.repeat(length - before.length - after.length) + after;
  };
  expect(longestAnswer).toBe(65_536);
  let length = 65_536;
  const { env } = await sts((response) => response.end(answer(length)));
  expect(JSON.stringify(await ask(env))).toContain('xxx');
  length += 1;
  await expect(ask(env)).rejects.toThrow(NotStsError);
});

test('takes no answer that ends before its length', async () => {
  const { env } = await sts((response) => {
    response
      .writeHead(200, { 'content-length': 1000 })
      .write('<AskResponse><AskResult><A>1</A></AskResult></AskResponse>');
    setImmediate(() => response.destroy());
  });
  await expect(ask(env)).rejects.toMatchObject({ code: 'ECONNRESET' });
});

test('is aborted by its signal', async () => {
  const stop = new AbortController();
  const { env } = await sts(() => stop.abort());
  await expect(ask(env, stop.signal)).rejects.toMatchObject({ name: 'AbortError' });
});
