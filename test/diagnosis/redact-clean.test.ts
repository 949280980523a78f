import { describe, expect, test } from 'vitest'
import { makeRedactor } from '../../src/diagnosis/redact/make-redactor.ts'

/** Captured on the lab: what kubectl prints of real objects, and logs of kubelet, API server, containerd, Redmine and the pods. No secret is in them. */
const files = import.meta.glob<string>('../fixtures/redact/lab/*', { query: '?raw', import: 'default', eager: true })
const texts = new Map(Object.entries(files).map(([path, text]) => [path.replace(/^.*\//, ''), text]))
const names = [...texts.keys()]
const read = (name: string) => texts.get(name) ?? ''
const redactor = makeRedactor()
const secret = 'postgres://apples:made-up-0000@db'

describe('what holds no secret stays as it is', () => {
  test.each(names)('%s', (name) => {
    const text = read(name)
    const redacted = redactor.text(name, text)
    expect(redacted.text.split('\n').filter((line, index) => line !== text.split('\n')[index])).toEqual([])
    expect(redacted).toEqual({ text, counts: {} })
  })

  test.each(names.filter((name) => name.endsWith('.json')))('%s as JSON', (name) => {
    const value: unknown = JSON.parse(read(name))
    expect(redactor.json(name, value)).toEqual({ value, counts: {} })
  })

  test.each(names)('%s: but a secret that is planted in it goes, and nothing else', (name) => {
    const lines = read(name).split('\n')
    for (let at = 0; at < lines.length; at += Math.ceil(lines.length / 20)) {
      const line = lines[at]?.replace(/[{[",]*$/, ` ${secret} $&`) ?? ''
      const text = lines.with(at, line).join('\n')
      expect(redactor.text(name, text).text).toBe(text.replace('made-up-0000', '***HIDDEN***'))
    }
  })

  test.each([
    'TAP version 14',
    'not ok 3 - http://bananas:8080 answered 500 Internal Server Error',
    '  evidence: |',
    '# autodiagnose end lines=12 bytes=3456',
    'image: registry.example/fruit/apples:1.2.3@sha256:6e988461ffce2bac3561234f736b9a504bfda1911fa6432b90e6bbb16f67f925',
    'imageID: docker-pullable://images.example:5000/apples:1.2@sha256:6e988461ffce2bac3561234f736b9a504bfda1911fa6432b90e6bbb16f67f925',
    'imageID: docker-pullable://nginx:1.25@sha256:6e988461ffce2bac3561234f736b9a504bfda1911fa6432b90e6bbb16f67f925',
    'uid: 0d4f3c1e-1f6f-4a7e-9b7e-444455556666',
    'git clone ssh://git@git.example/fruit.git',
    'http://bananas:8080/users/apples@fruit.example?page=2&sort=asc',
    'http://[fd00::1]:8080/ and https://bananas.fruit.svc.cluster.local:8443/x',
    'GET /go?to=http%3A%2F%2Fbananas%3A8080%2Fusers%2Fapples%40fruit.example',
    'mail to apples@fruit.example: queued',
    'INVITE sip:alice@10.0.0.1:5060 and mailto:apples@fruit.example',
    'ssh from:root@10.0.0.1:22 as git@git.example:22',
    'member 1@kafka-0:9092, epmd node:apples@10.0.0.1:4369',
    'level=info at:2026-11-23T21:00:00Z apples@fruit.example:25',
    'apples:1.2@registry.example and oci:apples@sha256:6e98',
    'WWW-Authenticate: Bearer realm="https://auth.example/token",service="registry.example"',
    'rbac.authorization.k8s.io/v1 --authorization-mode=Node,RBAC',
    'authorization: denied',
    'cookie: none',
    'resourceVersion: "123456789" pod-template-hash=57bcf49487',
    'sha256:6e988461ffce2bac3561234f736b9a504bfda1911fa6432b90e6bbb16f67f925',
    'ad_service_requests_total{code="500"} 12',
    'sk-something-57bcf49487-ddmpn Running',
    'GET /watch?continue=abc&limit=500&timeoutSeconds=30&key=fruit&code=500',
    'ssh-rsa AAAAB3NzaC1yc2EAAAADAQABAAABAQC apples@fruit',
    'at com.example.TokenService.refresh(TokenService.java:42)',
    'User "system:serviceaccount:fruit:default" cannot get resource "secrets" in API group "" in the namespace "fruit"',
    'x-request-id: 0d4f3c1e1f6f4a7e9b7e444455556666',
    '%PDF \u0000\u0001 binary \ufffd',
  ])('%s', (line) => {
    expect(redactor.text('a.log', line)).toEqual({ text: line, counts: {} })
  })
})
