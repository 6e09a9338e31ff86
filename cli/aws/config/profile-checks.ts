import type { Note } from '../../problem/note.ts';
import { looksLikeRegion } from '../partitions.ts';
import { parseRoleArn } from '../role-arn.ts';

/** Each returns what is wrong with a value for a profile, and what a right one looks like; undefined when the value is right. */

export function wrongRole(role: string): Note | undefined {
  if (parseRoleArn(role)) return undefined;
  return {
    what: `This is not the ARN of a role: ${role}`,
    why: 'It looks like arn:aws:iam::123456789012:role/VouchDeveloper.',
    fix: 'Ask your AWS administrator for it.',
  };
}

/** @param role the ARN of the role that will be used there */
export function wrongRegion(region: string, role: string): Note | undefined {
  if (!looksLikeRegion(region)) {
    return { what: `This is not the name of a region: ${region}`, why: 'It looks like us-east-1.' };
  }
  const partition = parseRoleArn(role)?.partition;
  if (partition?.region.test(region)) return undefined;
  return {
    what: `The role ${role} cannot be used in ${region}.`,
    why: `The role is in the partition ${partition?.id}, and the region is in another one.`,
    fix: 'Name a region of that partition.',
  };
}

/** A profile's name is also written in URLs, as the user name, and in shells, where a leading dash would make it an option. */
export function wrongProfileName(name: string): Note | undefined {
  if (/^[A-Za-z0-9_][A-Za-z0-9_.+@-]{0,63}$/.test(name)) return undefined;
  return {
    what: `This cannot be the name of a profile: ${name}`,
    why: 'A name has up to 64 letters, digits and _ . + @ - and begins with a letter, a digit or _.',
    fix: 'Choose another one with --profile.',
  };
}

/** STS: 2 to 1224 characters of these (AssumeRole, ExternalId). */
export function wrongExternalId(id: string): Note | undefined {
  if (/^[\w+=,.@:/-]{2,1224}$/.test(id)) return undefined;
  return {
    what: `This cannot be an external id: ${id}`,
    why: 'It has 2 to 1224 letters, digits and _ + = , . @ : / -',
    fix: 'Ask the administrator of the AWS account for it.',
  };
}
