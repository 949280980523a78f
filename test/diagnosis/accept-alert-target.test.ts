import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { parse } from 'yaml'
import doc from '../../docs/alerts.md?raw'
import { targetOfAlert } from '../../src/diagnosis/accept/alert-target.ts'
import { complainAboutRelabel, type Labels } from '../../src/diagnosis/accept/relabel.ts'
import { podPattern, workloadPattern } from '../../src/diagnosis/accept/target.ts'
import { alertSource } from './alert-source.ts'

const defaults = alertSource()

/** What was found, as `namespace/name`, `namespace/kind/name` or either with ` container`; else the message. */
function found(labels: Labels, source = defaults, clusters: readonly string[] = ['main']): string {
  const answer = targetOfAlert(labels, source, clusters)
  if (answer.kind !== 'target') return answer.message
  const { target, container } = answer
  const name = target.kind === 'selector' ? target.selector : target.name
  const path = [target.namespace, ...(target.kind === 'workload' ? [target.workload] : []), name].join('/')
  return container === undefined ? path : `${path} ${container}`
}

/** As they come from kube-state-metrics, scraped with honor_labels: what the metric lacks are the exporter's own. */
const honored = {
  job: 'kube-state-metrics',
  service: 'kube-state-metrics',
  instance: '10.1.2.3:8080',
  pod: 'kube-state-metrics-7d9f-x2x',
  container: 'kube-state-metrics',
}
/** The same, scraped without: the metric's are renamed. */
const renamed = { ...honored, namespace: 'monitoring' }

describe('labels lead to', () => {
  test.each([
    ['a pod', { namespace: 'shop', pod: 'cart-0' }, 'shop/cart-0'],
    ['its container', { namespace: 'shop', pod: 'cart-0', container: 'app' }, 'shop/cart-0 app'],
    ['a pod by the names that old rules have', { kubernetes_namespace: 'shop', kubernetes_pod_name: 'cart-0' }, 'shop/cart-0'],
    ['cAdvisor’s pod, not its sandbox', { namespace: 'shop', pod: 'cart-0', container: 'POD' }, 'shop/cart-0'],
    ['a pod before what it belongs to', { namespace: 'shop', pod: 'cart-0', deployment: 'cart', service: 'cart' }, 'shop/cart-0'],
    ['a deployment', { namespace: 'shop', deployment: 'cart' }, 'shop/deployment/cart'],
    ['a statefulset', { namespace: 'shop', statefulset: 'cart' }, 'shop/statefulset/cart'],
    ['a daemonset', { namespace: 'shop', daemonset: 'cart' }, 'shop/daemonset/cart'],
    ['a job, which is not the name of the scrape', { namespace: 'shop', job_name: 'backup-29384756', job: 'cart' }, 'shop/job/backup-29384756'],
    ['a service', { namespace: 'shop', service: 'cart' }, 'shop/service/cart'],
    ['nothing by an empty label', { namespace: 'shop', pod: '', deployment: 'cart' }, 'shop/deployment/cart'],
    ['a pod whose name has dots', { namespace: 'shop', pod: 'web.1.example' }, 'shop/web.1.example'],
  ])('%s', (_, labels, target) => {
    expect(found(labels)).toBe(target)
  })
})

describe('beside an exporter’s own labels, labels lead to', () => {
  test.each([
    ['the deployment of honored labels', { ...honored, namespace: 'shop', deployment: 'cart' }, 'shop/deployment/cart'],
    ['the pod of honored labels', { ...honored, namespace: 'shop', pod: 'cart-0' }, 'shop/cart-0'],
    ['the container of honored labels', { ...honored, namespace: 'shop', pod: 'cart-0', container: 'app' }, 'shop/cart-0 app'],
    [
      'no container of the exporter’s, whatever it is called',
      { ...honored, namespace: 'shop', deployment: 'cart', container: 'proxy' },
      'shop/deployment/cart',
    ],
    ['the deployment of renamed labels', { ...renamed, exported_namespace: 'shop', deployment: 'cart' }, 'shop/deployment/cart'],
    ['the pod of renamed labels', { ...renamed, exported_namespace: 'shop', exported_pod: 'cart-0' }, 'shop/cart-0'],
    [
      'the container of renamed labels',
      { ...renamed, exported_namespace: 'shop', exported_pod: 'cart-0', exported_container: 'app' },
      'shop/cart-0 app',
    ],
    [
      'no container of another level',
      { exported_namespace: 'shop', exported_pod: 'cart-0', namespace: 'x', pod: 'y', container: 'app' },
      'shop/cart-0',
    ],
    ['the service of renamed labels', { ...renamed, exported_namespace: 'shop', exported_service: 'cart' }, 'shop/service/cart'],
    ['an exported pod in the one namespace there is', { namespace: 'shop', exported_pod: 'cart-0', pod: 'states-0' }, 'shop/cart-0'],
    [
      'the deployment, also where the name of the exporter is not known',
      { exported_namespace: 'shop', deployment: 'cart', namespace: 'monitoring', pod: 'states-0', container: 'states' },
      'shop/deployment/cart',
    ],
    [
      'the deployment, where the exported pod is none and the plain one is what was scraped',
      { namespace: 'shop', exported_pod: 'Not A Pod', deployment: 'cart', pod: 'states-0' },
      'shop/deployment/cart',
    ],
    [
      'what was scraped, in its own namespace, where the metric has no other name',
      { exported_namespace: 'tenant', namespace: 'shop', pod: 'cart-0', container: 'app' },
      'shop/cart-0 app',
    ],
    [
      'a deployment that is the exporter itself',
      { ...honored, namespace: 'monitoring', deployment: 'kube-state-metrics' },
      'monitoring/deployment/kube-state-metrics',
    ],
  ])('%s', (_, labels, target) => {
    expect(found(labels)).toBe(target)
  })

  test('nothing where there are no others', () => {
    expect(found({ ...honored, namespace: 'shop' })).toBe(
      'No label says what to look at (pod="kube-state-metrics-7d9f-x2x" is the exporter of the metric; service="kube-state-metrics" is the exporter of the metric): ' +
        'looked for exported_pod, pod, pod_name, kubernetes_pod_name, deployment, statefulset, daemonset, job_name, exported_service, service, ' +
        "and exported_namespace, namespace, kubernetes_namespace; have the rule keep one of them, or set it by the source's relabel",
    )
  })

  test('what is no exporter to this source', () => {
    expect(found({ namespace: 'monitoring', pod: 'kube-state-metrics-0' }, alertSource({ exporters: [] }))).toBe('monitoring/kube-state-metrics-0')
  })
})

describe('no target is', () => {
  test.each([
    [{}, 'No label says what to look at: looked for'],
    [{ pod: 'cart-0' }, 'pod="cart-0" comes without a namespace'],
    [{ namespace: 'shop' }, 'No label says what to look at: looked for'],
    [{ namespace: 'Shop', pod: 'cart-0' }, 'namespace="Shop" cannot be a namespace'],
    [{ namespace: 'shop', pod: 'Cart 0' }, 'pod="Cart 0" cannot be the name of a pod'],
    [{ namespace: 'shop', pod: '../secrets' }, 'pod="../secrets" cannot be the name of a pod'],
    [{ namespace: 'shop', pod: 'a/b' }, 'pod="a/b" cannot be the name of a pod'],
    [{ namespace: 'shop', pod: 'cart-0\n' }, 'pod="cart-0\\n" cannot be the name of a pod'],
    [{ namespace: 'shop', pod: 'x'.repeat(254) }, `pod="${'x'.repeat(99)}…" cannot be the name of a pod`],
    [{ namespace: 'shop', deployment: 'cart?watch=1' }, 'deployment="cart?watch=1" cannot be the name of a deployment'],
    [{ namespace: 'shop/kube-system', pod: 'a' }, 'namespace="shop/kube-system" cannot be a namespace'],
  ])('%j', (labels: Labels, words) => {
    expect(found(labels)).toContain(words)
  })

  test('a container that no pod may have; the pod is one all the same', () => {
    expect(found({ namespace: 'shop', pod: 'cart-0', container: 'a/b' })).toBe('shop/cart-0')
  })

  test('an invalid name beside a valid one', () => {
    expect(found({ namespace: 'shop', pod: '10.0.0.1:80', deployment: 'cart' })).toBe('shop/deployment/cart')
  })
})

describe('the cluster', () => {
  const pod = { namespace: 'shop', pod: 'cart-0' }
  const clusterOf = (labels: Labels, source = defaults, clusters: readonly string[] = ['east', 'west']) => {
    const answer = targetOfAlert({ ...pod, ...labels }, source, clusters)
    return answer.kind === 'target' ? answer.cluster : answer.message
  }

  test.each([
    ['that of the label', { cluster: 'west' }, undefined, 'west'],
    ['that of the source before the label’s', { cluster: 'west' }, 'east', 'east'],
    [
      'none by a label that is unknown',
      { cluster: 'north' },
      undefined,
      /^cluster="north" is no cluster of the configuration; known are east, west: set the source's cluster/,
    ],
    ['none without a label', {}, undefined, /^No label names the cluster: looked for cluster; known are east, west: set the source's cluster/],
    ['none where the source’s is not there', {}, 'north', /^The source is about cluster "north", which is not there; known are east, west$/],
  ])('is %s', (_, labels, cluster, expected) => {
    expect(clusterOf(labels, alertSource(cluster === undefined ? {} : { cluster }))).toEqual(
      typeof expected === 'string' ? expected : expect.stringMatching(expected),
    )
  })

  test('is the only one, where no label says otherwise', () => {
    expect(clusterOf({}, defaults, ['main'])).toBe('main')
    expect(clusterOf({ cluster: 'other' }, defaults, ['main'])).toMatch(/^cluster="other" is no cluster/)
  })

  test('may have a label of another name', () => {
    expect(clusterOf({ k8s: 'west' }, alertSource({ labels: { cluster: ['k8s'] } }))).toBe('west')
  })
})

describe('relabelling comes first', () => {
  test('and its labels are given back', () => {
    const source = alertSource({
      relabel: [
        { sourceLabels: ['service'], regex: '(.*)/(.*)', targetLabel: 'namespace' },
        { sourceLabels: ['service'], regex: '.*/(.*)', targetLabel: 'pod' },
      ],
    })
    expect(targetOfAlert({ service: 'shop/cart-0' }, source, ['main'])).toEqual({
      kind: 'target',
      cluster: 'main',
      target: { kind: 'pod', namespace: 'shop', name: 'cart-0' },
      labels: { service: 'shop/cart-0', namespace: 'shop', pod: 'cart-0' },
    })
  })

  test('and may drop the alert', () => {
    const source = alertSource({ relabel: [{ action: 'drop', sourceLabels: ['severity'], regex: 'info|none' }] })
    expect(targetOfAlert({ severity: 'none' }, source, ['main'])).toEqual({
      kind: 'dropped',
      message: "Rule 1 of the source's relabel drops this alert",
    })
  })
})

describe('whatever the labels are', () => {
  const names = [...Object.values(defaults.labels).flat(), '__proto__', 'constructor']
  const value = fc.oneof(fc.string(), fc.constantFrom('shop', 'cart-0', 'kube-state-metrics-0', 'main', 'POD', ''))

  test('what is found is a name that Kubernetes may have, and no exporter’s', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.constantFrom(...names), value), (labels) => {
        const answer = targetOfAlert(labels, defaults, ['main'])
        if (answer.kind !== 'target') {
          expect(answer.message).not.toBe('')
          return
        }
        const [text = '', container] = found(labels).split(' ')
        expect(text).toMatch(answer.target.kind === 'pod' ? podPattern : workloadPattern)
        if (answer.target.kind === 'pod') expect(answer.target.name).not.toBe('kube-state-metrics-0')
        expect(['POD', '']).not.toContain(container)
      }),
    )
  })
})

describe('the relabelling of docs/alerts.md', () => {
  const [, yaml = ''] = /```yaml\n(relabel:[\s\S]*?)```/.exec(doc) ?? []
  const source = alertSource(parse(yaml))

  test('is such as the configuration takes', () => {
    expect(source.relabel.map((rule) => complainAboutRelabel(rule))).toEqual(source.relabel.map(() => undefined))
    expect(source.relabel.length).toBeGreaterThan(5)
  })

  test.each([
    [{ namespace: 'shop-dev', pod: 'cart-0' }, "Rule 1 of the source's relabel drops this alert"],
    [{ namespace: 'shop', pod: 'cart-0', severity: 'warning' }, "Rule 2 of the source's relabel drops this alert"],
    [{ namespace: 'shop', workload: 'cart', workload_type: 'deployment' }, 'shop/deployment/cart'],
    [{ namespace: 'shop', workload: 'cart', workload_type: 'statefulset' }, 'shop/statefulset/cart'],
    [{ target: 'http://cart.shop.svc.cluster.local:8080/health' }, 'shop/service/cart'],
    [{ namespace: 'shop', pod: 'cart-0', cluster: 'prod-eu-1' }, 'shop/cart-0'],
  ])('leads %j to %s', (labels: Labels, target) => {
    expect(found({ severity: 'critical', ...labels }, source, ['production'])).toBe(target)
  })
})
