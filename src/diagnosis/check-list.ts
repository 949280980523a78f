// Made by "npm run schema" of the heads of diagnostics/checks; not to be edited.
import type { CheckFacts } from './check-facts.ts'

export const checkList: readonly CheckFacts[] = [
  { name: 'processes', byDefault: true, profile: 'restricted', seesTarget: true, pauses: false, param: 'none', tools: [] },
  { name: 'limits', byDefault: true, profile: 'restricted', seesTarget: true, pauses: false, param: 'none', tools: [] },
  { name: 'listening', byDefault: true, profile: 'restricted', seesTarget: true, pauses: false, param: 'optional', tools: [] },
  { name: 'resolv', byDefault: true, profile: 'restricted', seesTarget: false, pauses: false, param: 'none', tools: [] },
  { name: 'disk', byDefault: true, profile: 'restricted', seesTarget: true, pauses: false, param: 'none', tools: [] },
  { name: 'cgroup', byDefault: true, profile: 'restricted', seesTarget: true, pauses: false, param: 'optional', tools: [] },
  {
    name: 'dns',
    byDefault: false,
    profile: 'restricted',
    seesTarget: false,
    pauses: false,
    param: 'required',
    example: 'dns=cart.shop.svc',
    tools: [],
  },
  {
    name: 'http',
    byDefault: false,
    profile: 'restricted',
    seesTarget: false,
    pauses: false,
    param: 'required',
    example: 'http=http://cart:8080/health',
    tools: [],
  },
  { name: 'network', byDefault: false, profile: 'restricted', seesTarget: false, pauses: false, param: 'none', tools: [] },
  { name: 'runtime', byDefault: false, profile: 'restricted', seesTarget: true, pauses: false, param: 'optional', tools: [] },
  { name: 'tcp', byDefault: false, profile: 'restricted', seesTarget: false, pauses: false, param: 'required', example: 'tcp=cart:8080', tools: [] },
]
