import { expect, test } from 'vitest';
import { serviceEnvironment } from '../../../cli/service/service-environment.ts';

test('a service’s agent gets the variables that an agent uses, and no others', () => {
  expect(
    serviceEnvironment({
      HTTPS_PROXY: 'http://proxy.example.com:3128',
      no_proxy: 'internal.example.com',
      NODE_EXTRA_CA_CERTS: '/home/a@b/ca.pem',
      AWS_ENDPOINT_URL_STS: 'https://sts.example.com',
      AWS_CA_BUNDLE: '',
      NODE_OPTIONS: '--inspect --use-system-ca',
      AWS_SECRET_ACCESS_KEY: 'hunter2',
      PATH: '/bin',
    }),
  ).toEqual({
    HTTPS_PROXY: 'http://proxy.example.com:3128',
    no_proxy: 'internal.example.com',
    NODE_EXTRA_CA_CERTS: '/home/a@b/ca.pem',
    AWS_ENDPOINT_URL_STS: 'https://sts.example.com',
    NODE_OPTIONS: '--use-system-ca',
  });
});

test.each(['HTTPS_PROXY', 'http_proxy', 'AWS_ENDPOINT_URL'])('no password in %s is written', (name) => {
  for (const value of [
    'http://alice:hunter2@proxy.example.com:3128',
    'alice:hunter2@proxy:3128',
    'http://token@proxy',
  ]) {
    expect(() => serviceEnvironment({ [name]: value })).toThrow(
      expect.objectContaining({
        kind: 'secret-variable',
        what: expect.stringContaining(name),
        message: expect.not.stringMatching(/hunter2|token@/),
      }),
    );
  }
});
