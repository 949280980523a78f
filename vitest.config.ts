import { cloudflareTest } from '@cloudflare/vitest-plugin'
import { defineConfig } from 'vitest/config'

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
  },
})

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
        test: {
          name: 'worker',
          include: ['test/worker/**/*.test.ts'],
          setupFiles: ['test/property-seed.ts'],
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
