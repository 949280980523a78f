import { mkdirSync, writeFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fileURLToPath } from 'node:url'
import { build } from 'esbuild'
import { makeRedactor } from '../src/diagnosis/redact/make-redactor.ts'
import { readConfig } from '../src/hosts/read-config.ts'
import { readRedactorFiles } from '../src/hosts/redactor-files.ts'

// The configuration for a Worker, which has no files: checked here, before anything is uploaded. wrangler.toml calls this.
const file = resolve(process.env.AUTODIAGNOSE_CONFIG || 'infra/workers/autodiagnose.yaml')
const secrets = new Set<string>()
/**
 * zod in English alone: what it says in 50 other languages, which nothing here asks for, would be an eighth of the Worker. wrangler.toml puts it in the place of zod.
 */
async function englishZod(): Promise<void> {
  await build({
    stdin: { contents: "export * from 'zod'; export { z, default } from 'zod'", resolveDir: fileURLToPath(new URL('.', import.meta.url)) },
    outfile: 'dist/worker-zod.js',
    bundle: true,
    format: 'esm',
    legalComments: 'inline',
    logLevel: 'error',
    plugins: [
      {
        name: 'english',
        setup({ onLoad }) {
          onLoad({ filter: /zod[\\/]v4[\\/]locales[\\/]index\.js$/ }, () => ({ contents: "export { default as en } from './en.js'" }))
        },
      },
    ],
  })
}

try {
  const config = readConfig(file, 'workers', (ref) => {
    if ('file' in ref) throw new Error('Workers have no files; use {env: NAME} and "npx wrangler secret put NAME"')
    if (!/^[A-Za-z_]\w*$/.test(ref.env)) throw new Error(`"${ref.env}" cannot be the name of a secret: use letters, digits and _`)
    secrets.add(ref.env)
  })
  const redactors = readRedactorFiles(config.redaction.files)
  // Throws what is wrong with them.
  makeRedactor({ files: redactors })
  mkdirSync('dist', { recursive: true })
  await englishZod()
  writeFileSync('dist/worker-config.json', JSON.stringify({ config, redactors, secrets: [...secrets] }))
} catch (error) {
  process.stderr.write(`autodiagnose: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exitCode = 1
}
