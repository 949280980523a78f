import { describe, expect, test } from 'vitest'
import { reports } from '../../src/config-intake.ts'
import { routeOf } from '../../src/diagnosis/admit/report-route.ts'

const { routes } = reports.parse({
  routes: [
    { match: { severity: 'none' }, none: true },
    { match: { team: ['checkout', 'pay-*'], namespace: 'shop' }, tracker: 'github', project: 'example/shop', labels: ['incident'] },
    { match: { team: '*' }, tracker: 'jira', project: 'OPS', type: 'Bug' },
    { match: { cluster: 'east', workload: 'deployment/*' }, tracker: 'gitlab', project: 'example/east' },
    { match: { constructor: '*' }, tracker: 'redmine', project: 'never' },
  ],
})
const about = { alertname: 'Down', source: 'alerts', cluster: 'west', namespace: 'shop', workload: 'deployment/cart' }

describe('routeOf', () => {
  test.each([
    ['any of the values', { team: 'checkout' }, 'example/shop'],
    ['a pattern', { team: 'pay-west' }, 'example/shop'],
    ['the first that matches in all labels', { team: 'checkout', namespace: 'blog' }, 'OPS'],
    ['what was found out', { cluster: 'east' }, 'example/east'],
    ['an empty label that is there', { team: '' }, 'OPS'],
    ['not what begins alike', { cluster: 'east-2' }, undefined],
    ['not by a label that is missing', {}, undefined],
    ['none, where the route says so', { severity: 'none', team: 'checkout' }, undefined],
  ])('finds %s', (_, labels, project) => {
    expect(routeOf({ ...about, ...labels }, routes)?.project).toBe(project)
  })

  test('gives all that is needed to open a report', () => {
    expect(routeOf({ team: 'x' }, routes)).toEqual({ tracker: 'jira', project: 'OPS', labels: ['autodiagnose'], type: 'Bug' })
    expect(routeOf({ ...about, team: 'checkout' }, routes)).toEqual({ tracker: 'github', project: 'example/shop', labels: ['incident'] })
  })

  test('takes everything by a route without labels, nothing without routes', () => {
    const all = reports.parse({ routes: [{ tracker: 'redmine', project: 'ops' }] }).routes
    expect(routeOf({}, all)).toEqual({ tracker: 'redmine', project: 'ops', labels: ['autodiagnose'] })
    expect(routeOf(about, [])).toBeUndefined()
  })
})
