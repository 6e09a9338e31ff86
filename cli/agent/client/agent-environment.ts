/** The settings that an agent obeys: where AWS is, which proxy to use, whom to trust, and the time zone. */
export const agentSettings: readonly string[] = [
  'HTTPS_PROXY',
  'https_proxy',
  'HTTP_PROXY',
  'http_proxy',
  'NO_PROXY',
  'no_proxy',
  'NODE_EXTRA_CA_CERTS',
  'NODE_USE_SYSTEM_CA',
  'SSL_CERT_FILE',
  'SSL_CERT_DIR',
  'AWS_CA_BUNDLE',
  'AWS_ENDPOINT_URL',
  'AWS_ENDPOINT_URL_STS',
  'AWS_IGNORE_CONFIGURED_ENDPOINT_URLS',
  'AWS_USE_FIPS_ENDPOINT',
  'AWS_USE_DUALSTACK_ENDPOINT',
  'TZ',
];

/** The variables for the agent's folders, and for the start of its libraries. */
const places = [
  'HOME',
  'XDG_RUNTIME_DIR',
  'XDG_CACHE_HOME',
  'LANG',
  'LC_ALL',
  'LC_CTYPE',
  'LD_LIBRARY_PATH',
  'OPENSSL_CONF',
  'OPENSSL_MODULES',
];

/** Node's options that decide whom to trust and how names are looked up, and nothing else. */
const harmless = /^--(use-system-ca|use-openssl-ca|use-bundled-ca|dns-result-order=\w+)$/;

/**
 * The variables that no agent may have: with them Node would write to the disk, print what it sends, or accept any certificate.
 */
export const harmfulVariables: readonly string[] = [
  'NODE_V8_COVERAGE',
  'NODE_DEBUG',
  'NODE_DEBUG_NATIVE',
  'NODE_TLS_REJECT_UNAUTHORIZED',
];

/**
 * The part of our environment that an agent gets: what it needs, and nothing else. It runs for hours, and every program of this
 * user can read its environment. The rest may contain other tools' secrets, or options that make Node show its memory.
 */
export function agentEnvironment(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  const kept = [...places, ...agentSettings].map((name) => [name, env[name]] as const);
  const options = harmlessNodeOptions(env);
  return {
    ...Object.fromEntries(kept.filter(([, value]) => value !== undefined)),
    ...(options ? { NODE_OPTIONS: options } : {}),
    // With one arena for each thread, glibc would keep more of the freed memory.
    MALLOC_ARENA_MAX: '1',
    // Node passes its own value on to every child whose environment does not mention it.
    NODE_V8_COVERAGE: undefined,
  };
}

/** The part of NODE_OPTIONS that an agent may have; empty when there is none. */
export function harmlessNodeOptions({ NODE_OPTIONS = '' }: NodeJS.ProcessEnv): string {
  return NODE_OPTIONS.split(/\s+/)
    .filter((option) => harmless.test(option))
    .join(' ');
}
