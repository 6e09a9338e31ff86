/** One of our programs. Paths are from the package's root. */
export interface Program {
  /** Where it begins. */
  source: string;
  /** What it is built into (vite.config.ts); what it loads later lies beside that. */
  built: string;
  /** The file behind its name on the PATH (package.json, `bin`); without one, only our own programs start it. */
  command?: string;
  /** What it loads when it is needed, if ever: every start would wait for it, or memory be lost to it all day. */
  notAtStart: readonly string[];
}

/** The programs that there are. A new one is a line here, one in package.json's `bin`, and a folder. */
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
    notAtStart: ['express', 'oidc-provider', 'kysely', 'node:sqlite'],
  },
} as const satisfies Record<string, Program>;

export type ProgramName = keyof typeof programs;
