import { settingRefused } from '../problem/setting-refused.ts';

/**
 * How long a server that is to end still takes requests, so that load balancers see that it is not ready, in milliseconds.
 *
 * @param value VOUCH_DRAIN_SECONDS
 * @throws Problem `setting-refused`
 */
export function readDrainSeconds(value = '0'): number {
  const seconds = Number(value);
  if (!/^\d{1,3}$/.test(value) || seconds > 300) {
    throw settingRefused('VOUCH_DRAIN_SECONDS', value, 'a whole number of seconds from 0 to 300');
  }
  return seconds * 1000;
}
