import { describe, expect, test } from 'vitest';
import { EVENTS } from '../../../server/audit/events.ts';
import { rowOcsf } from '../../../server/audit/ocsf.ts';
import type { Row } from '../../../server/audit/rows.ts';

/**
 * What the schema demands of our classes, version 1.5.0 (https://schema.ocsf.io/1.5.0/): the activities, the attributes that are
 * required beyond those of every event, those that it knows, and of which one at least must be there.
 */
const CLASSES: Record<number, { activities: number[]; required: string[]; known: string[]; oneOf?: string[] }> = {
  0: { activities: [0, 99], required: [], known: [] },
  1008: {
    activities: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 99],
    required: [],
    known: ['actor', 'src_endpoint', 'log_name', 'log_provider', 'log_type', 'log_type_id'],
    oneOf: ['log_name', 'log_provider', 'log_type', 'log_type_id'],
  },
  3001: { activities: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 99], required: ['user'], known: [] },
  3002: {
    activities: [0, 1, 2, 3, 4, 5, 6, 99],
    required: ['user'],
    known: [
      ...['service', 'session', 'auth_protocol_id', 'auth_protocol', 'logon_type_id', 'logon_type', 'is_mfa'],
      ...['is_remote', 'auth_factors'],
    ],
    oneOf: ['service', 'dst_endpoint'],
  },
  3003: {
    activities: [0, 1, 2, 99],
    required: ['user'],
    known: ['session', 'privileges'],
    oneOf: ['privileges', 'group'],
  },
  3004: { activities: [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 99], required: ['entity'], known: [] },
  3005: { activities: [0, 1, 2, 99], required: ['user', 'privileges'], known: [] },
};

/** Of every event; then what the schema also knows there, and in every class of Identity & Access Management. */
const REQUIRED = ['activity_id', 'category_uid', 'class_uid', 'metadata', 'severity_id', 'time', 'type_uid'];
const KNOWN = [
  ...['activity_name', 'category_name', 'class_name', 'count', 'duration', 'end_time', 'message', 'severity'],
  ...['start_time', 'status', 'status_detail', 'status_id', 'type_name', 'unmapped'],
];
const KNOWN_IN_IAM = ['actor', 'src_endpoint'];

/** What the schema demands of an object: attributes, and of which one at least must be there. */
const OBJECTS: Record<string, { required?: string[]; oneOf?: string[] }> = {
  metadata: { required: ['product', 'version'] },
  product: { oneOf: ['name', 'uid'] },
  user: { oneOf: ['account', 'name', 'uid'] },
  actor: { oneOf: ['process', 'user', 'session', 'app_name', 'app_uid'] },
  src_endpoint: { oneOf: ['ip', 'name', 'hostname', 'uid'] },
  entity: { oneOf: ['name', 'uid', 'user'] },
  auth_factors: { required: ['factor_type_id'] },
  service: { oneOf: ['name', 'uid'] },
  session: {},
};

/** Checks an object and those within it. */
function checkObject(name: string, value: unknown): void {
  if (Array.isArray(value)) {
    for (const one of value) checkObject(name, one);
    return;
  }
  if (typeof value !== 'object' || value === null || name === 'unmapped') return;
  const { required = [], oneOf = [] } = OBJECTS[name] ?? {};
  expect(OBJECTS, `the object ${name}`).toHaveProperty(name);
  for (const attribute of required) expect(value, name).toHaveProperty(attribute);
  if (oneOf.length > 0)
    expect(
      Object.keys(value).some((key) => oneOf.includes(key)),
      name,
    ).toBe(true);
  for (const [key, member] of Object.entries(value)) {
    expect(member, `${name}.${key}`).not.toBeNull();
    checkObject(key, member);
  }
}

type Event = Record<string, unknown> & { class_uid: number; activity_id: number; metadata: Record<string, unknown> };

/** Checks an event against what is above. */
function check(event: Event): void {
  const { class_uid, activity_id } = event;
  const { activities, required, known, oneOf = [] } = CLASSES[class_uid] ?? { activities: [], required: [], known: [] };
  for (const attribute of [...REQUIRED, ...required]) expect(event, attribute).toHaveProperty(attribute);
  const may = [...REQUIRED, ...KNOWN, ...required, ...known, ...(class_uid >= 3000 ? KNOWN_IN_IAM : [])];
  expect(Object.keys(event).filter((attribute) => !may.includes(attribute))).toEqual([]);
  expect(activities).toContain(activity_id);
  expect(event.category_uid).toBe(Math.floor(class_uid / 1000));
  expect(event.type_uid).toBe(class_uid * 100 + activity_id);
  expect([1, 2, 3, 4]).toContain(event.severity_id);
  expect([1, 2]).toContain(event.status_id);
  // With 99 the name of the activity is ours, and must be there.
  expect(event.activity_name).toEqual(expect.stringMatching(/./));
  for (const name of ['time', 'start_time', 'end_time', 'duration', 'count']) {
    if (event[name] !== undefined) expect(Number.isSafeInteger(event[name]), name).toBe(true);
  }
  if (oneOf.length > 0) expect(Object.keys(event).some((key) => oneOf.includes(key))).toBe(true);
  for (const [name, value] of Object.entries(event)) checkObject(name, value);
}

const AT = Date.UTC(2026, 10, 26, 10, 42, 7, 5);
const full: Row = {
  id: 17,
  at: AT,
  event: '',
  result: 'done',
  reason: 'some-reason',
  actor: 'alice@example.com',
  subject: 'bob@example.com',
  ip: '192.0.2.1',
  machine: 'laptop',
  key_id: 'key',
  session_id: 'session',
  request_id: 'request',
  detail: '{"role":"arn:aws:iam::123456789012:role/VouchDeveloper"}',
  hash: 'hash',
};
const bare: Row = {
  ...full,
  ...{ reason: null, subject: null, ip: null, machine: null, key_id: null, session_id: null, request_id: null },
  detail: '{}',
};
const origin = { issuer: 'https://vouch.example.com', version: '1.2.3' };
const ocsf = (row: Partial<Row>) => rowOcsf({ ...full, ...row }, origin) as Event;

describe.each([...Object.keys(EVENTS), 'of-a-later-version', 'constructor'])('%s', (event) => {
  test.each([
    ['with everything', full],
    ['with nothing', bare],
  ])('is an event that fits the schema, %s', (_, row) => {
    for (const actor of ['alice@example.com', 'cli:root', 'server', 'unknown']) {
      for (const result of ['done', 'refused'] as const) check(ocsf({ ...row, event, actor, result }));
    }
  });
});

test('an event says what happened to whom, when, by whom, from where, and with which number', () => {
  expect(ocsf({ event: 'signed-in' })).toEqual({
    category_uid: 3,
    category_name: 'Identity & Access Management',
    class_uid: 3002,
    class_name: 'Authentication',
    activity_id: 1,
    activity_name: 'Logon',
    type_uid: 300201,
    type_name: 'Authentication: Logon',
    severity_id: 1,
    severity: 'Informational',
    time: AT,
    status_id: 1,
    status: 'Success',
    status_detail: 'some-reason',
    message:
      'The person signed in with a touch of the key; with `paste`, the page showed the code, to be pasted into a terminal',
    metadata: {
      version: '1.5.0',
      uid: '17',
      sequence: 17,
      original_time: '2026-11-26T10:42:07.005Z',
      logged_time: AT,
      event_code: 'signed-in',
      correlation_uid: 'request',
      log_name: 'audit',
      log_provider: 'vouch-server',
      product: {
        name: 'Vouch',
        vendor_name: 'Vouch',
        uid: 'vouch-server',
        version: '1.2.3',
        url_string: 'https://vouch.example.com',
      },
    },
    actor: {
      user: {
        name: 'alice@example.com',
        uid: 'alice@example.com',
        email_addr: 'alice@example.com',
        type_id: 1,
        type: 'User',
      },
    },
    user: {
      name: 'bob@example.com',
      uid: 'bob@example.com',
      email_addr: 'bob@example.com',
      type_id: 1,
      type: 'User',
      credential_uid: 'key',
    },
    src_endpoint: { ip: '192.0.2.1', name: 'laptop' },
    session: { uid: 'session', issuer: 'https://vouch.example.com', is_mfa: true, credential_uid: 'key' },
    service: { name: 'Vouch', uid: 'https://vouch.example.com' },
    auth_protocol_id: 4,
    auth_protocol: 'OpenID',
    logon_type_id: 3,
    logon_type: 'Network',
    is_mfa: true,
    is_remote: true,
    auth_factors: [{ factor_type_id: 10, factor_type: 'WebAuthn' }],
    unmapped: { hash: 'hash', detail: { role: 'arn:aws:iam::123456789012:role/VouchDeveloper' } },
  });
});

test('a count of refusals has a number, a beginning and an end', () => {
  const detail = JSON.stringify({ count: 37, since: AT - 3600_000, lastAt: AT - 1000 });
  expect(ocsf({ event: 'sign-in-refused', actor: 'unknown', result: 'refused', detail })).toMatchObject({
    status_id: 2,
    severity_id: 2,
    count: 37,
    time: AT - 3600_000,
    start_time: AT - 3600_000,
    end_time: AT - 1000,
    duration: 3600_000 - 1000,
    metadata: { logged_time: AT },
  });
});

test('a token for AWS names its role, and a command its system user', () => {
  expect(ocsf({ event: 'aws-token-issued' })).toMatchObject({
    type_uid: 300301,
    privileges: ['arn:aws:iam::123456789012:role/VouchDeveloper'],
  });
  expect(ocsf({ event: 'person-disabled', actor: 'cli:root' })).toMatchObject({
    type_uid: 300105,
    actor: { app_name: 'vouch-server', user: { name: 'root', uid: 'cli:root', type: 'Admin' } },
  });
});

test('a row about the server itself names what of it was changed', () => {
  const entityOf = (event: string, detail: object) => ocsf({ event, detail: JSON.stringify(detail) }).entity;
  expect(entityOf('aws-issuer-changed', { before: 'https://a.example', after: 'https://b.example' })).toEqual({
    name: 'https://b.example',
    type: 'Issuer for AWS',
    type_id: 99,
  });
  expect(entityOf('signing-key-revoked', { kid: 'a-key' })).toMatchObject({ name: 'a-key', type: 'Signing key' });
  expect(entityOf('master-key-changed', { keys: 1 })).toMatchObject({ type: 'Master key' });
  expect(entityOf('invited', {})).toMatchObject({ name: 'bob@example.com', type: 'Invitation' });
});
