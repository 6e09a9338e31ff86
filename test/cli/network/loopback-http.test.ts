import { expect, test } from 'vitest';
import { isConfidential } from '../../../cli/network/loopback-http.ts';

test.each([
  ['https://vouch.example.com', true],
  ['https://127.0.0.1:8443', true],
  ['http://localhost:8080/sts', true],
  ['http://LOCALHOST', true],
  ['http://127.0.0.1:8080', true],
  ['http://vouch.example.com', false],
  ['http://localhost.evil.example', false],
  ['http://127.0.0.1.evil.example', false],
  ['http://localhost@evil.example', false],
  ['http://evil.example/localhost', false],
  ['http://0.0.0.0', false],
  ['ftp://localhost', false],
])('no one on the network can read what is sent to %s: %s', (url, confidential) => {
  expect(isConfidential(new URL(url))).toBe(confidential);
});
