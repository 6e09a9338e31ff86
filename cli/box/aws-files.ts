import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/** Settings of AWS's tools that name no secret and no identity; those that are undefined are left out. */
export interface AwsSettings {
  region?: string | undefined;
  ca_bundle?: string | undefined;
  use_fips_endpoint?: string | undefined;
  use_dualstack_endpoint?: string | undefined;
}

/** The settings that a caller's variables contain (AWS SDKs and Tools Reference Guide, "Environment variables support"). */
export function awsSettings(env: NodeJS.ProcessEnv, region?: string): AwsSettings {
  return {
    region: env.AWS_REGION || env.AWS_DEFAULT_REGION || region,
    ca_bundle: env.AWS_CA_BUNDLE,
    use_fips_endpoint: env.AWS_USE_FIPS_ENDPOINT,
    use_dualstack_endpoint: env.AWS_USE_DUALSTACK_ENDPOINT,
  };
}

/**
 * Writes a config file with these settings, and no profile besides `default`, and a credentials file without credentials.
 *
 * @returns their paths
 */
export function writeAwsFiles(folder: string, settings: AwsSettings): { config: string; credentials: string } {
  const lines = Object.entries(settings)
    // A value of several lines could be more than a setting.
    .filter(([, value]) => value && !/\p{Cc}/u.test(value))
    .map(([name, value]) => `${name} = ${value}\n`);
  const write = (name: string, text: string) => {
    const file = join(folder, name);
    writeFileSync(file, text, { mode: 0o600, flag: 'wx' });
    return file;
  };
  return { config: write('aws-config', `[default]\n${lines.join('')}`), credentials: write('aws-credentials', '') };
}
