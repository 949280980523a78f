import type { Config } from '../config.ts'

/**
 * What the configuration names and `wrangler.toml` or `wrangler secret` did not give, one sentence each. The file itself was checked when
 * the Worker was built.
 */
export function missingParts(config: Config, secrets: readonly string[], env: Readonly<Record<string, unknown>>): string[] {
  const bindings = [
    ['DB', 'prepare', 'a [[d1_databases]]'],
    ['DIAGNOSIS', 'create', 'a [[workflows]]'],
    ...(config.store.kind === 'r2' ? [[config.store.binding, 'createMultipartUpload', 'an [[r2_buckets]] (store.binding)']] : []),
    ...Object.entries(config.clusters).flatMap(([name, cluster]) =>
      'binding' in cluster && cluster.binding !== undefined ? [[cluster.binding, 'fetch', `a [[vpc_services]] (clusters.${name}.binding)`]] : [],
    ),
  ] as const
  return [
    ...bindings.flatMap(([name = '', method = '', kind]) =>
      hasMethod(env[name], method) ? [] : [`binding "${name}" is not there: add ${kind} of that name to wrangler.toml`],
    ),
    ...secrets.flatMap((name) =>
      typeof env[name] === 'string' && env[name] !== ''
        ? []
        : [`secret "${name}" is not set: run npx wrangler secret put ${name} (for wrangler dev: .dev.vars)`],
    ),
  ]
}

function hasMethod(binding: unknown, method: string): boolean {
  return typeof binding === 'object' && binding !== null && typeof (binding as Record<string, unknown>)[method] === 'function'
}
