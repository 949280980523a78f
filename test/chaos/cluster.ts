import { fileURLToPath } from 'node:url'
import { serve } from '@hono/node-server'
import { demoImage } from '../../src/emulator/demo-cluster.ts'
import { createEmulator } from '../../src/emulator/emulator.ts'
import type { Image } from '../../src/emulator/images.ts'

/** A cluster in a process of its own, which outlives the service: the emulator over HTTP, in the directory of argv[2]. Prints its address. */
const printer = fileURLToPath(new URL('./printer.mjs', import.meta.url))
const images: Readonly<Record<string, Image>> = {
  'localhost/printer:1': { entrypoint: [process.execPath, printer], file: printer },
  'localhost/shell:1': { entrypoint: ['/bin/sh', '-c'], file: '/bin/sh' },
}
const emulator = createEmulator({ directory: process.argv[2] ?? '', image: (name) => images[name] ?? demoImage(name) })
serve({ fetch: emulator.app.fetch, hostname: '127.0.0.1', port: 0 }, ({ port }) => console.log(JSON.stringify({ port })))
process.stdin.resume().on('end', () => {
  void emulator.close().finally(() => process.exit(0))
})
