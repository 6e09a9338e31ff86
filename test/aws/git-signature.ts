import { AwsError } from './aws-error.ts';
import { type Session, type Sessions, sameSecret } from './sessions.ts';
import { encode, parseBasicDate, signature, stringToSign } from './sigv4.ts';

const maxSkew = 15 * 60_000;

/**
 * CodeCommit's signature of a repository's path: Signature Version 4 of a canonical request whose method is `GIT`, with an empty
 * line in place of the payload's hash. No public page describes it: AWS CLI's `codecommit credential-helper` and
 * git-remote-codecommit are the specification, except for the path. Those two sign it unencoded, and CodeCommit refuses paths
 * with special characters (https://github.com/aws/aws-cli/issues/9327): the service computes its signature from the
 * percent-encoded path, as in SigV4's canonical request.
 *
 * @param date `20260101T000000`, without a Z
 */
export function gitSignature(options: {
  secretAccessKey: string;
  date: string;
  region: string;
  /** Without the port. */
  host: string;
  /** `/v1/repos/demo`, decoded, as Git passes it to a credential helper. */
  path: string;
}): string {
  const { secretAccessKey, date, region, host, path } = options;
  const day = date.slice(0, 8);
  const canonicalPath = path.split('/').map(encode).join('/');
  const canonicalRequest = `GIT\n${canonicalPath}\n\nhost:${host}\n\nhost\n`;
  return signature({
    secretAccessKey,
    date: day,
    region,
    service: 'codecommit',
    stringToSign: stringToSign(date, `${day}/${region}/codecommit/aws4_request`, canonicalRequest),
  });
}

/** The session that signed this user name and password. Refuses what CodeCommit refuses; every refusal is a 403. */
export function verifyGitCredentials(options: {
  /** The access key ID, then `%` and the session token. */
  username: string;
  /** The date, `Z`, and 64 hexadecimal digits. */
  password: string;
  host: string;
  region: string;
  partition: string;
  /** Decoded. */
  path: string;
  sessions: Sessions;
  now: Date;
}): Session {
  const { username, password, host, region, partition, path, sessions, now } = options;
  const refused = (code: string, why: string) => new AwsError(code, why, 403);

  const percent = username.indexOf('%');
  const accessKeyId = percent === -1 ? username : username.slice(0, percent);
  const sessionToken = percent === -1 ? undefined : username.slice(percent + 1);
  const session = sessions.find(accessKeyId, sessionToken);
  // Credentials are valid in one partition only.
  if (session === undefined || session.account.partition !== partition) {
    throw refused('UnrecognizedClientException', 'The security token included in the request is invalid');
  }
  if (session.expiration <= now) {
    throw refused('ExpiredTokenException', 'The security token included in the request is expired');
  }

  const match = /^(\d{8}T\d{6})Z([0-9a-f]{64})$/.exec(password);
  const date = parseBasicDate(password.slice(0, 16));
  if (match === null || date === undefined) {
    throw refused('IncompleteSignatureException', 'The password is not a date and a signature');
  }
  const skew = date.getTime() - now.getTime();
  if (skew < -maxSkew) throw refused('InvalidSignatureException', 'Signature expired');
  if (skew > maxSkew) throw refused('InvalidSignatureException', 'Signature not yet current');

  const [, signedAt = '', given = ''] = match;
  const expected = gitSignature({ secretAccessKey: session.secretAccessKey, date: signedAt, region, host, path });
  if (!sameSecret(expected, given)) {
    throw refused(
      'InvalidSignatureException',
      'The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.',
    );
  }
  return session;
}
