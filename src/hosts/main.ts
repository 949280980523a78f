import { loadConfig } from './load-config.ts'
import { startService } from './node.ts'

/** The service as a process: reads the configuration, serves until TERM or INT. */
async function main(): Promise<void> {
  const { config, secret } = loadConfig(process.env)
  const service = await startService({ config, secret })
  let stopping = Number.NaN
  const stop = (): void => {
    if (Number.isNaN(stopping)) {
      stopping = Date.now()
      service.close().then(() => process.exit(0), fail)
      return
    }
    // Who asks twice wants it now. One ^C arrives several times, by the terminal and by the wrappers that hand it on.
    if (Date.now() - stopping > 1000) process.exit(1)
  }
  process.on('SIGTERM', stop)
  process.on('SIGINT', stop)
}

/** A wrong configuration or a taken port needs no stack: its message says what to do. */
function fail(error: unknown): never {
  process.stderr.write(`autodiagnose: ${error instanceof Error ? error.message : String(error)}\n`)
  process.exit(1)
}

main().catch(fail)
