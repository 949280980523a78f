import { describe, expect, test } from 'vitest'
import type { Raw } from '../../src/ports/cluster/cluster.ts'
import { captured, findingsOf, quiet } from './gather-world.ts'

describe('a service without a selector', () => {
  const line = 'ERROR Get "http://stock:8080/": dial tcp 10.96.0.7:8080: connect: connection refused\n'
  const given = (spec: Raw) => ({
    cluster: { listServices: async () => [{ metadata: { name: 'stock' }, spec: { clusterIP: '10.96.0.7', ...spec } }] as Raw[] },
  })
  const ids = async (log: string, spec: Raw) => (await findingsOf({ ...quiet(captured('healthy-web')), log }, given(spec))).map(({ id }) => id)
  test.each([line, 'ERROR cart: connect ECONNREFUSED 10.96.0.7:8080\n', 'ERROR stock.shop.svc:8080: connection refused\n'])(
    'refuses: %s',
    async (log) => {
      expect(await ids(log, {})).toEqual(['service/stock/no-selector', 'log/trouble'])
    },
  )
  test('is no trouble where nobody is refused by it', async () => {
    expect(await ids('INFO connected to stock:8080\n', {})).toEqual([])
    expect(await ids('ERROR connect ECONNREFUSED 10.96.0.71:8080\n', {})).toEqual(['log/trouble'])
    expect(await ids(line, { type: 'ExternalName' })).toEqual(['log/trouble'])
  })
})

describe('a Service that is another name', () => {
  const alias = { metadata: { name: 'stock' }, spec: { type: 'ExternalName', externalName: 'stock.warehouse.svc.cluster.local' } }
  const titles = async (log: string) =>
    (await findingsOf({ ...quiet(captured('healthy-web')), log }, { cluster: { listServices: async () => [alias] as Raw[] } })).map(
      ({ title }) => title,
    )
  const title = 'Service stock, which the pod calls, is another name (ExternalName) of stock.warehouse.svc.cluster.local, and the name is not found'

  test.each([
    'ERROR Get "http://stock:8080/": dial tcp: lookup stock on 10.88.0.1:53: no such host\n',
    'Error: getaddrinfo ENOTFOUND stock\n',
    'ERROR curl: (6) Could not resolve host: stock\n',
    'ERROR java.net.UnknownHostException: stock.shop.svc\n',
  ])('of what is not there: %s', async (log) => {
    expect((await titles(log))[0]).toBe(title)
  })

  test.each([
    'ERROR Get "http://stock:8080/": dial tcp 10.1.2.3:8080: connect: connection refused\n',
    'ERROR lookup stockings on 10.88.0.1:53: no such host\n',
    'INFO GET http://stock:8080/: 200 OK\n',
  ])('is no trouble of its own: %s', async (log) => {
    expect(await titles(log)).not.toContain(title)
  })
})
