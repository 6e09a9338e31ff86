import { spawnSync } from 'node:child_process';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PolicyDocument } from '../../../aws/policy.ts';

/** What a printed template would create. */
export interface Printed {
  provider: { url: string; clientIds: string[] } | undefined;
  roleName: string;
  /** In seconds. */
  maxSessionDuration: number;
  trustPolicy: PolicyDocument;
  permissionPolicy: PolicyDocument;
}

export function fromCloudFormation(text: string): Printed {
  const { Resources } = JSON.parse(text);
  const provider = Resources.VouchProvider?.Properties;
  const role = Resources.VouchRole.Properties;
  return {
    provider: provider && { url: provider.Url, clientIds: provider.ClientIdList },
    roleName: role.RoleName,
    maxSessionDuration: role.MaxSessionDuration,
    trustPolicy: role.AssumeRolePolicyDocument,
    permissionPolicy: role.Policies[0].PolicyDocument,
  };
}

/** A value of HCL that is written as JSON, except that $ and % are doubled before a brace. */
export function hclValue(text: string) {
  if (/(?<!\$)\$\{|(?<!%)%\{/.test(text)) throw new Error('HCL would evaluate a template sequence in this text');
  return JSON.parse(text.replace(/([$%])\1(?=\{)/g, '$1'));
}

/** Reads HCL by the names of its arguments. */
export function fromTerraform(text: string): Printed {
  const argument = (resource: string, name: string) => {
    const block = text.split(`resource "${resource}" "vouch" {\n`)[1]?.split('\n}\n')[0];
    const [, call, line] =
      new RegExp(`^ {2}${name} += (?:jsonencode\\(([\\s\\S]*?)\\n {2}(?=\\}\\))|(.*)$)`, 'm').exec(block ?? '') ?? [];
    const value = call === undefined ? line : `${call}}`;
    return value === undefined ? undefined : hclValue(value);
  };
  const url = argument('aws_iam_openid_connect_provider', 'url');
  return {
    provider: url && { url, clientIds: argument('aws_iam_openid_connect_provider', 'client_id_list') },
    roleName: argument('aws_iam_role', 'name'),
    maxSessionDuration: argument('aws_iam_role', 'max_session_duration'),
    trustPolicy: argument('aws_iam_role', 'assume_role_policy'),
    permissionPolicy: argument('aws_iam_role_policy', 'policy'),
  };
}

/** Runs the script with an `aws` that records its calls, and reads their parameters. */
export function fromCli(script: string, folder: string): Printed {
  const { code, stderr, calls } = runScript(script, folder);
  if (code !== 0) throw new Error(`the script ended with ${code}\n${stderr}`);
  const parameter = (command: string, name: string) => {
    const call = calls.find((words) => words[1] === command) ?? [];
    const joined = call.find((word) => word.startsWith(`${name}=`));
    return joined?.slice(name.length + 1) ?? call[call.indexOf(name) + 1] ?? '';
  };
  const create = 'create-open-id-connect-provider';
  return {
    provider: calls.some((words) => words[1] === create)
      ? { url: parameter(create, '--url'), clientIds: JSON.parse(parameter(create, '--client-id-list')) }
      : undefined,
    roleName: parameter('put-role-policy', '--role-name'),
    maxSessionDuration: Number(parameter('create-role', '--max-session-duration')),
    trustPolicy: JSON.parse(parameter('create-role', '--assume-role-policy-document')),
    permissionPolicy: JSON.parse(parameter('put-role-policy', '--policy-document')),
  };
}

/**
 * Runs the script with an `aws` that records its calls.
 *
 * @param account the account of the AWS CLI's credentials
 * @param refused AWS refuses the calls that have this word, such as a command
 * @returns how the script ended, and every call's words
 */
export function runScript(
  script: string,
  folder: string,
  account?: string,
  refused?: string,
): { code: number | null; stderr: string; calls: string[][] } {
  const { env, calls } = recordingAws(folder, account, refused);
  const path = { PATH: `${folder}:/usr/bin:/bin` };
  const { status, stderr } = spawnSync('sh', { input: script, env: { ...env, ...path }, encoding: 'utf8' });
  return { code: status, stderr, calls: calls() };
}

/**
 * Installs an `aws` that records its calls, into a folder for PATH.
 *
 * @returns the variables that it needs, and every call's words
 */
export function recordingAws(folder: string, account = '123456789012', refused = '') {
  const log = join(folder, 'calls');
  rmSync(log, { force: true });
  const aws = '#!/bin/sh\nprintf "%s\\0" "$@" >>"$LOG"; printf "\\n" >>"$LOG"\n';
  const answer =
    '[ "$1" != sts ] || echo "$ACCOUNT"\n[ -z "$REFUSED" ] || case " $* " in *" $REFUSED "*) exit 254 ;; esac\n';
  writeFileSync(join(folder, 'aws'), aws + answer, { mode: 0o755 });
  return {
    env: { LOG: log, ACCOUNT: account, REFUSED: refused },
    calls: () =>
      readFileSync(log, 'utf8')
        .split('\0\n')
        .slice(0, -1)
        .map((words) => words.split('\0')),
  };
}
