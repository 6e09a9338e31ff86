import { hostname } from 'node:os';

/** This machine's name as the server's pages show it, without what the server would refuse: no sign-in should fail for that. */
export function machineName(name = hostname()): string {
  const seen = name
    .normalize('NFC')
    .replace(/\p{Z}+/gu, ' ')
    .replace(/[\p{C}\p{M}\p{Default_Ignorable_Code_Point}\u2800]/gu, '')
    .trim();
  return (seen.slice(0, 64).replace(/\p{C}$/u, '') || 'a machine without a name').trim();
}
