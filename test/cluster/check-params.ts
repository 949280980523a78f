/** A parameter that there is something to say about in every pod; a check that needs another kind of parameter is added here. */
export const params: Readonly<Record<string, string>> = {
  dns: 'kubernetes.default.svc.cluster.local',
  tcp: 'kubernetes.default.svc.cluster.local:443',
  http: 'https://kubernetes.default.svc.cluster.local/version',
  mtu: 'kubernetes.default.svc.cluster.local:443',
  file: '/etc/hosts',
}
