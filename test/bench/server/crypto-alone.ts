/**
 * The cryptography of a login and of an AWS token, and nothing else: `node crypto-alone.ts`. For each message it measures that many
 * rounds and answers with the processor time of a round, in milliseconds.
 */
import { generateKeyPairSync, sign, verify } from 'node:crypto';

/** How many signatures and verifications a round has. */
export interface CryptoRound {
  signatures: number;
  verifications: number;
  rounds: number;
}

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
/** About as long as a token. */
const data = Buffer.alloc(600, 'a');
const dsaEncoding = 'ieee-p1363';
const signature = sign('sha256', data, { key: privateKey, dsaEncoding });

process.on('message', ({ signatures, verifications, rounds }: CryptoRound) => {
  const before = process.cpuUsage();
  for (let round = 0; round < rounds; round++) {
    for (let count = 0; count < signatures; count++) sign('sha256', data, { key: privateKey, dsaEncoding });
    for (let count = 0; count < verifications; count++) {
      verify('sha256', data, { key: publicKey, dsaEncoding }, signature);
    }
  }
  const { user, system } = process.cpuUsage(before);
  process.send?.((user + system) / 1000 / rounds);
});
process.on('disconnect', () => process.exit());
