import { defineConfig } from 'vitest/config'

const jsx = { jsx: { runtime: 'automatic', importSource: 'hono/jsx' } } as const

/** `unit`: what needs no cluster. `cluster`: the lab's, or the one of KUBECONFIG; its files share that cluster, so they run one after another. */
export default defineConfig({
  test: {
    reporters: ['default', './test/reporter.ts'],
    projects: [
      {
        oxc: jsx,
        test: {
          name: 'unit',
          include: ['test/**/*.test.{ts,tsx}'],
          exclude: ['test/cluster/**', 'test/lab/**'],
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
