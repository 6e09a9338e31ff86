import { DatabaseSync } from 'node:sqlite';
import { chainHash } from '../../server/audit/chain.ts';
import { chooseEngine } from '../../server/store/choose-engine.ts';
import { openForServing } from '../../server/store/open-for-issuer.ts';

/**
 * Fills a new database as a large team's would be after a year: `node test/scale/seed.ts FILE [ISSUER] [ROWS]`. Every run makes the same
 * people, keys, sessions and rows, except for their times, which end now.
 */
const PEOPLE = 5_000;
const KEYS = 12_000;
/** Half of the people are signed in. */
const SESSIONS = 2_500;
const DAYS = 390;

const [file = '', issuer = 'http://localhost:8080', rows = '1000000'] = process.argv.slice(2);
if (file === '') {
  console.error('Usage: node test/scale/seed.ts FILE [ISSUER] [ROWS]');
  process.exit(2);
}
const now = Date.now();
await (await openForServing(chooseEngine(`sqlite:${file}`), issuer, now)).destroy();

const database = new DatabaseSync(file);
database.exec('PRAGMA synchronous = OFF; PRAGMA foreign_keys = ON; PRAGMA cache_size = -200000; BEGIN');

/** Numbers from 0 to 1 that look random, and are the same in every run (xorshift). */
let state = 2463534242;
function random(): number {
  state ^= state << 13;
  state ^= state >>> 17;
  state ^= state << 5;
  return (state >>> 0) / 2 ** 32;
}

const email = (person: number) => `person${person}@example.com`;
const begin = now - DAYS * 24 * 3600_000;

const addPerson = database.prepare(
  'insert into people (id, email, user_handle, role, created_at, disabled_at) values (?, ?, ?, ?, ?, ?)',
);
for (let person = 0; person < PEOPLE; person += 1) {
  addPerson.run(
    `person-${person}`,
    email(person),
    `handle-${person}`,
    person < 5 ? 'owner' : 'member',
    begin + person,
    person % 100 === 99 ? now - 1 : null,
  );
}
const addKey = database.prepare(
  `insert into keys (id, person_id, name, model, aaguid, public_key, counter, transports, created_at, last_used_at)
   values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
);
for (let key = 0; key < KEYS; key += 1) {
  const usedAt = now - Math.floor(random() * DAYS * 24 * 3600_000);
  addKey.run(
    `key-${key}`,
    `person-${key % PEOPLE}`,
    `Key ${key}`,
    'YubiKey 5C NFC',
    '2fc0579f-8113-47ea-b116-bb5a8db9202a',
    '',
    0,
    '["usb"]',
    begin,
    usedAt,
  );
}

const addSession = database.prepare(
  'insert into sessions (id, person_id, key_id, machine, auth_time, expires_at) values (?, ?, ?, ?, ?, ?)',
);
for (let session = 0; session < SESSIONS; session += 1) {
  const began = now - Math.floor(random() * 7 * 3600_000);
  const person = session * 2;
  addSession.run(
    `session-${session}`,
    `person-${person}`,
    `key-${person}`,
    `laptop-${person}`,
    began,
    began + 8 * 3600_000,
  );
}

const addRow = database.prepare(
  `insert into audit (id, at, event, result, reason, actor, subject, ip, machine, key_id, session_id, request_id, detail, hash)
   values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)`,
);
const role = 'arn:aws:iam::123456789012:role/VouchDeveloper';
/** How many of a hundred rows each event has. */
const shares: [number, string, string | null, (id: number) => object][] = [
  [70, 'aws-token-issued', null, (id) => ({ role, jti: `jti-${id}` })],
  [20, 'signed-in', null, () => ({})],
  [7, 'session-ended', 'signed-out', () => ({})],
  [2, 'sign-in-refused', 'unknown-key', (id) => ({ count: id % 50, since: now, lastAt: now })],
  [1, 'enrolled', null, () => ({ name: 'Work key', model: 'YubiKey 5C NFC', aaguid: '' })],
];
const events = shares.flatMap(([count, ...event]) => Array.from({ length: count }, () => event));

const count = Number(rows);
let hash = '';
for (let id = 1; id <= count; id += 1) {
  // A few people do very much: half of the rows belong to a tenth of them.
  const person = Math.floor(random() ** 3 * PEOPLE);
  const [event = '', reason = null, detail = () => ({})] = events[Math.floor(random() * 100)] ?? [];
  const fields = {
    id,
    at: begin + Math.floor(((now - begin) * id) / count),
    event,
    result: event === 'sign-in-refused' ? ('refused' as const) : ('done' as const),
    reason,
    actor: event === 'sign-in-refused' ? 'unknown' : email(person),
    subject: email(person),
    ip: `192.0.2.${person % 256}`,
    machine: `laptop-${person}`,
    key_id: `key-${person}`,
    session_id: `session-${Math.floor(id / 50)}-${person}`,
    request_id: `request-${id}-abcdefghijkl`,
    detail: JSON.stringify(detail(id)),
  };
  hash = chainHash(hash, fields);
  addRow.run(...Object.values(fields), hash);
  if (id % 50_000 === 0) database.exec('COMMIT; BEGIN');
}
database.prepare('update audit_head set last_id = ?, last_hash = ? where id = 1').run(count, hash);
database.exec('COMMIT; PRAGMA wal_checkpoint(TRUNCATE)');
database.close();
process.stdout.write(`${file}: ${PEOPLE} people, ${KEYS} keys, ${SESSIONS} sessions, ${count} audit rows\n`);
