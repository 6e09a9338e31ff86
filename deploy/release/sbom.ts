import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import type { Module } from './modules.ts';
import type { BundledNode } from './product.ts';

/** The parts of CycloneDX that we change (https://cyclonedx.org/docs/1.5/json/). */
interface Bom {
  serialNumber: string;
  metadata: { timestamp: string; tools: object[]; component: Record<string, unknown> };
  components: ({ 'bom-ref': string; name: string; version: string } & Record<string, unknown>)[];
  dependencies: { ref: string; dependsOn: string[] }[];
}

/** npm's list of all that package-lock.json names. */
export function lockedBom(root: string): string {
  const { NODE_OPTIONS: _, ...env } = process.env;
  return execFileSync('npm', ['sbom', '--sbom-format', 'cyclonedx', '--package-lock-only'], {
    cwd: root,
    env,
    encoding: 'utf8',
    maxBuffer: 64 * 1024 * 1024,
  });
}

/**
 * The list of what one package contains, in CycloneDX: of npm's list what is really in it, and Node. It has the time of the source and
 * a number from its own content, so that two runs give the same.
 */
export function bomOf(locked: string, { name, version, modules, node, time }: BomOptions): string {
  const bom = JSON.parse(locked) as Bom;
  const inside = new Set(modules.map((one) => `${one.name}@${one.version}`));
  const ours = `${name}@${version}`;
  const nodeRef = `node@${node.version}`;
  bom.components = bom.components.filter((one) => inside.has(`${one.name}@${one.version}`));
  const refs = new Set(bom.components.map((one) => one['bom-ref']));
  const missing = [...inside].filter((one) => !bom.components.some((part) => `${part.name}@${part.version}` === one));
  if (missing.length > 0) throw new Error(`npm does not list ${missing.join(', ')}`);
  bom.dependencies = bom.dependencies
    .filter(({ ref }) => refs.has(ref))
    .map(({ ref, dependsOn }) => ({ ref, dependsOn: dependsOn.filter((one) => refs.has(one)) }));
  bom.dependencies.unshift({ ref: ours, dependsOn: [nodeRef, ...refs] });
  bom.components.unshift({
    'bom-ref': nodeRef,
    type: 'platform',
    name: 'node',
    version: node.version,
    scope: 'required',
    licenses: [{ license: { id: 'MIT' } }],
    ...(node.package && {
      purl: `pkg:npm/${node.package.name}@${node.version}`,
      hashes: [{ alg: 'SHA-512', content: Buffer.from(node.package.integrity.slice(7), 'base64').toString('hex') }],
    }),
  });
  bom.metadata.component = { ...bom.metadata.component, 'bom-ref': ours, type: 'application', name, version };
  bom.metadata.component.purl = `pkg:generic/${ours}`;
  bom.metadata.timestamp = new Date(time * 1000).toISOString();
  // npm's version is of the machine, not of what is in the package.
  bom.metadata.tools = [{ vendor: 'npm', name: 'sbom' }];
  bom.serialNumber = '';
  const hash = createHash('sha256').update(JSON.stringify(bom)).digest('hex');
  bom.serialNumber = `urn:uuid:${hash.slice(0, 8)}-${hash.slice(8, 12)}-5${hash.slice(13, 16)}-8${hash.slice(17, 20)}-${hash.slice(20, 32)}`;
  return `${JSON.stringify(bom, null, 2)}\n`;
}

export interface BomOptions {
  name: string;
  version: string;
  /** What the package contains of npm's. */
  modules: readonly Module[];
  node: BundledNode;
  /** Seconds since 1970. */
  time: number;
}
