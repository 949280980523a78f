import { build } from 'esbuild'

/** Makes the service one file, for its image and for hosts without node_modules. */
export async function bundle(outfile: string, logLevel: 'info' | 'warning'): Promise<void> {
  await build({
    entryPoints: ['src/hosts/main.ts'],
    outfile,
    bundle: true,
    platform: 'node',
    target: 'node24',
    format: 'esm',
    sourcemap: true,
    legalComments: 'linked',
    logLevel,
    // Dependencies in CommonJS call require() for modules of Node.
    banner: { js: "import { createRequire as autodiagnoseRequire } from 'node:module'; const require = autodiagnoseRequire(import.meta.url);" },
  })
}
