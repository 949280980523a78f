// The demo's application: `storefront` asks its backend for prices every two seconds, `prices` answers 500.
import { createServer } from 'node:http'
import { setInterval } from 'node:timers'

const log = (level, message) => console.log(`${new Date().toISOString()} ${level} ${message}`)

const parts = {
  async storefront() {
    const url = process.env.PRICES_URL
    const ask = async () => {
      try {
        const answer = await fetch(url, { signal: AbortSignal.timeout(1500) })
        await answer.body?.cancel()
        log(answer.ok ? 'INFO' : 'ERROR', `GET ${url}: ${answer.status} ${answer.statusText}`)
      } catch (error) {
        log('ERROR', `GET ${url}: ${error.cause?.code ?? error.message}`)
      }
    }
    log('INFO', 'storefront is up')
    setInterval(ask, 2000)
    await ask()
  },
  prices() {
    const answer = (request, response) => {
      log('ERROR', `${request.method} ${request.url}: no prices: the price list is unreachable`)
      response.writeHead(500, { 'Content-Type': 'text/plain' }).end('no prices: the price list is unreachable\n')
    }
    const port = Number(process.env.LISTEN_PORT)
    createServer(answer).listen(port, '127.0.0.1', () => log('INFO', `prices listens on port ${port}`))
    // `localhost` may be ::1 first; a machine without IPv6 does not have it.
    createServer(answer)
      .on('error', () => {})
      .listen(port, '::1')
  },
}

const part = parts[process.argv[2]]
if (!part) {
  console.error(`"${process.argv[2]}" is none of ${Object.keys(parts).join(', ')}`)
  process.exit(2)
}
process.on('SIGTERM', () => process.exit(0))
await part()
