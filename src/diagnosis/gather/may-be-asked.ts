/**
 * Whether a host may be asked from inside a pod, with the pod's identity: no link-local address, no cloud's metadata service, no
 * multicast, in whatever form of IPv4 or IPv6 it is written. diagnostics/lib/net.sh looks at what names resolve to.
 */
export function mayBeAsked(host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '')
  if (/^(metadata(\.google\.internal)?|metadata\.goog|instance-data(\.ec2\.internal)?)$/.test(name)) return false
  const bare = name.replace(/^\[|\]$/g, '')
  // URL knows every form of an address: 2852039166, 0xa9.254, ::ffff:169.254.1.1.
  const address = URL.parse(`http://${bare.includes(':') ? `[${bare}]` : bare}/`)?.hostname
  if (address === undefined) return !bare.includes(':')
  if (address.startsWith('[')) return !isRefused6(groupsOf(address.slice(1, -1)))
  const bytes = address.split('.').map(Number)
  return !(/^[\d.]+$/.test(address) && bytes.length === 4 && isRefused4(bytes))
}

function isRefused4([a = 0, b = 0, c = 0, d = 0]: readonly number[]): boolean {
  // From 224 on: multicast, reserved and broadcast.
  return (a === 169 && b === 254) || a >= 224 || metadata4.includes([a, b, c, d].join('.'))
}

/** Of Alibaba Cloud, Azure and Oracle Cloud. */
const metadata4: readonly string[] = ['100.100.100.200', '168.63.129.16', '192.0.0.192']

function isRefused6(groups: readonly number[]): boolean {
  const [a = 0, b = 0, c = 0] = groups
  // fe80::/10 and ff00::/8
  if ((a & 0xffc0) === 0xfe80 || a >= 0xff00) return true
  const text = groups.map((group) => group.toString(16)).join(':')
  return (a === 0xfd00 && b === 0xec2) || metadata6.includes(text) || isRefused4(embedded(groups, [a, b, c]))
}

/** Of Oracle Cloud, Scaleway and Google Cloud; all of fd00:ec2::/32 is Amazon's. */
const metadata6: readonly string[] = ['fd00:c1:0:0:0:0:a9fe:a9fe', 'fd00:42:0:0:0:0:0:42', 'fd20:ce:0:0:0:0:0:254']

/** The IPv4 address that a gateway or the kernel makes of an IPv6 one: 6to4, mapped, translated (SIIT), compatible and NAT64. */
function embedded(groups: readonly number[], [a, b, c]: readonly [number, number, number]): readonly number[] {
  const bytes = groups.flatMap((group) => [group >> 8, group & 0xff])
  if (a === 0x2002) return bytes.slice(2, 6)
  const middle = groups.slice(0, 6).map((group) => group.toString(16))
  const isLow = ['0:0:0:0:0:ffff', '0:0:0:0:ffff:0', '0:0:0:0:0:0', '64:ff9b:0:0:0:0'].includes(middle.join(':'))
  // https://www.rfc-editor.org/rfc/rfc8215: prefixes of one's own, mostly of 96 bits
  return isLow || (a === 0x64 && b === 0xff9b && c === 1) ? bytes.slice(12) : []
}

/** The eight groups of an address as URL writes it. */
function groupsOf(address: string): readonly number[] {
  const [left = [], right] = address.split('::').map((half) => (half === '' ? [] : half.split(':')))
  const zeros = right === undefined ? 0 : 8 - left.length - right.length
  return [...left, ...Array<string>(zeros).fill('0'), ...(right ?? [])].map((group) => Number.parseInt(group, 16))
}
