import type { BoxFolder } from './box-folder.ts';

/** Variables that lead to the agent, to credentials, or to profiles, and Vouch's own. */
const ofCaller = /^(AWS|VOUCH)_/;

/**
 * The environment of a program with a lend: the caller's, but with a runtime folder, Git settings and AWS variables of its own.
 *
 * @param git Git's settings as variables
 * @param endpoint where AWS's tools get the fenced credentials (AWS SDKs and Tools Reference Guide, "Container credential provider")
 */
export function boxEnvironment(
  caller: NodeJS.ProcessEnv,
  { runtime, aws }: Pick<BoxFolder, 'runtime' | 'aws'>,
  git: Readonly<Record<string, string>>,
  endpoint: null | { url: string; token?: string | undefined },
): NodeJS.ProcessEnv {
  return {
    ...Object.fromEntries(Object.entries(caller).filter(([name]) => !ofCaller.test(name))),
    ...git,
    XDG_RUNTIME_DIR: runtime,
    AWS_CONFIG_FILE: aws.config,
    AWS_SHARED_CREDENTIALS_FILE: aws.credentials,
    AWS_EC2_METADATA_DISABLED: 'true',
    ...(endpoint?.token && {
      AWS_CONTAINER_CREDENTIALS_FULL_URI: endpoint.url,
      AWS_CONTAINER_AUTHORIZATION_TOKEN: endpoint.token,
    }),
  };
}
