import { type Session, sessionArn } from './sessions.ts';

const escapes: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;', "'": '&apos;' };

/** Escapes text for XML. */
export const xml = (text: string): string => text.replace(/[&<>"']/g, (char) => escapes[char] ?? '');

/** One element of an answer's result. */
export const element = (name: string, value: string): string => `    <${name}>${xml(value)}</${name}>\n`;

/** The common part of the answers to all `AssumeRole…` actions: the assumed role and the credentials. */
export function assumedRole(session: Session): string {
  const packed = Object.entries(session.tags).reduce((sum, [key, value]) => sum + key.length + value.length, 0);
  return (
    '    <AssumedRoleUser>\n' +
    element('Arn', sessionArn(session)) +
    element('AssumedRoleId', `${session.roleId}:${session.name}`) +
    '    </AssumedRoleUser>\n    <Credentials>\n' +
    element('AccessKeyId', session.accessKeyId) +
    element('SecretAccessKey', session.secretAccessKey) +
    element('SessionToken', session.sessionToken) +
    element('Expiration', session.expiration.toISOString().replace('.000Z', 'Z')) +
    '    </Credentials>\n' +
    (session.sourceIdentity === undefined ? '' : element('SourceIdentity', session.sourceIdentity)) +
    (packed === 0 ? '' : element('PackedPolicySize', String(Math.ceil(packed / 20))))
  );
}
