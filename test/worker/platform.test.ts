import { expect, inject, test } from 'vitest'
import { platform } from './platform.ts'

test('each request to an app is one of the runtime: what one opened no other may read', async () => {
  let opened: Response | undefined
  const app = {
    async fetch(request: Request) {
      if (request.url.endsWith('/open')) opened = await fetch(`${inject('faultyServer')}/seen`)
      return new Response(opened && request.url.endsWith('/read') ? await opened.text().catch(String) : 'opened')
    },
  }
  expect(await (await platform.ask(app, '/open')).text()).toBe('opened')
  expect(await (await platform.ask(app, '/read')).text()).toContain('Cannot perform I/O on behalf of a different request')
})
