import { readRange } from '../network/ip-address.ts';
import { settingRefused } from '../problem/setting-refused.ts';

/**
 * The proxies in front of the server: addresses and ranges.
 *
 * @param value VOUCH_TRUST_PROXY
 * @param reached whether people reach the server itself
 * @throws Problem `setting-refused`
 */
export function readTrustedProxies(value: string | undefined, reached: boolean): string[] {
  // The documented setup for https has a proxy on this machine.
  if (value === undefined) return reached ? [] : ['127.0.0.1', '::1'];
  const list = value.split(/[\s,]+/).filter((item) => item !== '');
  const wrong = list.find((item) => readRange(item) === undefined);
  if (wrong !== undefined || list.length === 0) {
    throw settingRefused(
      'VOUCH_TRUST_PROXY',
      wrong ?? value,
      'addresses or ranges that only your proxies have, with commas, such as 127.0.0.1,10.1.2.0/24',
    );
  }
  return list;
}
