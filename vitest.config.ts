import { env } from 'node:process'
import { fileURLToPath } from 'node:url'
import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

/** What tests are told of where they run. */
const provide = { isCI: env.CI === 'true' }

const jsx = { jsx: { runtime: 'automatic', importSource: 'hono/jsx' } } as const

/** What Workers have of Cloudflare's, by miniflare; the names are those of wrangler.toml. */
const workers = cloudflareTest({
  main: 'test/worker/main.ts',
  miniflare: {
    compatibilityDate: '2026-11-01',
    compatibilityFlags: ['nodejs_compat', 'enable_request_signal'],
    d1Databases: ['DB'],
    r2Buckets: ['BUCKET'],
    workflows: { DIAGNOSIS: { name: 'autodiagnose', className: 'Diagnosis' } },
    // In the place of a VPC service; it answers with what it was asked.
    serviceBindings: {
      CLUSTER: ({ method, url, headers }) => Response.json({ method, url, authorization: headers.get('authorization') }),
    },
  },
})

/** Packages of hundreds of files, as one module each: file by file they take seconds in every test file. */
const bundled = [
  ...['apis/AuthenticationV1Api', 'apis/AuthorizationV1Api', 'apis/CoreV1Api', 'configuration', 'servers'].map(
    (file) => `@kubernetes/client-node/dist/gen/${file}.js`,
  ),
  '@aws-sdk/client-s3',
  '@aws-sdk/s3-request-presigner',
  // Vite has each call of an imported function look it up, which makes hashing 25 times as slow: one file, then.
  '@noble/hashes/sha2.js',
]

/**
 * The suites that hold on both platforms; what they need of either is `#platform`. Not among them: cluster-aborted and kubeconfig, which
 * are about undici; cluster-bearer, which starts the Node host's clusters; tracker-local and store-files, for there are no directories;
 * emulator-*, which look into it; records-sqlite; server, which is about Node's HTTP server; diagnostics, which are shell scripts;
 * redact-work and limits-memory, for in workerd nothing tells CPU time and memory; tracker-standard-webhook, whose receiver is a
 * server: what faults.test.ts asks instead; crash, which is about the order of calls, and takes minutes there.
 */
const shared = [
  'test/app/*.test.ts',
  'test/contract/{cluster-answers,cluster-watch,emulator,tracker-{http,jira-markup,markdown,paced,textile}}.test.ts',
  'test/diagnosis/**/*.test.ts',
  'test/intake/*.test.ts',
  'test/pages/{login,pages,stored-tail}.test.ts',
]
const nodeOnly = [
  'test/app/server.test.ts',
  'test/diagnosis/diagnostics-*.test.ts',
  'test/diagnosis/redact-work.test.ts',
  'test/diagnosis/limits-memory.test.ts',
  'test/intake/crash.test.ts',
]

/**
 * `unit`: what needs no cluster. `worker`: the same and what only Workers have, in workerd. `cluster`: the lab's, or the one of
 * KUBECONFIG; its files share that cluster, so they run one after another.
 */
export default defineConfig({
  test: {
    reporters: ['default', './test/reporter.ts'],
    projects: [
      {
        oxc: jsx,
        plugins: [workers],
        // As in wrangler.toml.
        resolve: {
          alias: {
            undici: fileURLToPath(new URL('src/hosts/worker-undici.ts', import.meta.url)),
            'virtual:config': fileURLToPath(new URL('test/worker/built-config.ts', import.meta.url)),
          },
        },
        test: {
          name: 'worker',
          include: ['test/worker/**/*.test.ts', ...shared],
          exclude: nodeOnly,
          globalSetup: ['test/platform/emulators.ts', 'test/platform/faulty-server.ts'],
          deps: { optimizer: { ssr: { enabled: true, include: bundled, rolldownOptions: { external: ['url'] } } } },
          setupFiles: ['test/property-seed.ts'],
          provide,
          // They wait more than they work.
          maxWorkers: 3,
          testTimeout: 20_000,
          hookTimeout: 30_000,
        },
      },
      {
        oxc: jsx,
        test: {
          name: 'unit',
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: ['test/cluster/**', 'test/lab/**', 'test/worker/**'],
          setupFiles: ['test/property-seed.ts'],
          provide,
          // On two cores, vitest itself would take one; they wait about as much as they work.
          maxWorkers: 2,
          testTimeout: 20_000,
          hookTimeout: 30_000,
        },
      },
      {
        oxc: jsx,
        test: {
          name: 'cluster',
          include: ['test/cluster/**/*.test.{ts,tsx}'],
          globalSetup: ['test/cluster/setup.ts'],
          fileParallelism: false,
          testTimeout: 180_000,
          hookTimeout: 180_000,
        },
      },
    ],
  },
})
