/** One of our programs. Paths are relative to the package's root. */
export interface Program {
  /** Its entry point. */
  source: string;
  /** The built file (vite.config.ts); the modules that it loads later are beside it. */
  built: string;
  /** The file behind its name on the PATH (package.json, `bin`). Without one, only our own programs start it. */
  command?: string;
  /** Packages and functions that it may load only when it needs them: otherwise every start would wait, or memory be lost all day. */
  notAtStart: readonly string[];
}

/** All our programs. A new one needs an entry here, a line in package.json's `bin`, and a folder. */
export const programs = {
  vouch: {
    source: 'cli/vouch/main.ts',
    built: 'dist/cli/vouch/main.cjs',
    command: 'dist/cli/vouch/main.cjs',
    notAtStart: ['commander', 'openid-client', '@aws-sdk/client-sts', 'open', 'node:http', 'fetch'],
  },
  agent: {
    source: 'cli/agent/main.ts',
    built: 'dist/cli/agent/main.cjs',
    notAtStart: ['@aws-sdk/client-sts', 'openid-client', 'oauth4webapi', 'commander', 'fetch'],
  },
  'git-credential-vouch': {
    source: 'cli/git-credential-vouch/main.ts',
    built: 'dist/cli/git-credential-vouch/main.cjs',
    command: 'cli/git-credential-vouch/git-credential-vouch',
    notAtStart: ['commander', 'openid-client', '@aws-sdk/client-sts', 'open', 'node:http', 'fetch'],
  },
  'git-remote-codecommit': {
    source: 'cli/git-remote-codecommit/main.ts',
    built: 'dist/cli/git-remote-codecommit/main.cjs',
    command: 'dist/cli/git-remote-codecommit/main.cjs',
    notAtStart: ['commander', 'openid-client', '@aws-sdk/client-sts', 'node:http', 'fetch'],
  },
  'vouch-server': {
    source: 'server/main.ts',
    built: 'dist/server/vouch-server.js',
    command: 'dist/server/vouch-server.js',
    notAtStart: ['express', 'oidc-provider', 'kysely', 'node:sqlite', 'pg', '@aws-sdk/client-kms'],
  },
} as const satisfies Record<string, Program>;

export type ProgramName = keyof typeof programs;
