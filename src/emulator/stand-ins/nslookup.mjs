// Stands in for busybox's nslookup, as far as the checks use it: `nslookup -type=a|aaaa -timeout=S -retry=N NAME SERVER`.
import { Resolver } from 'node:dns/promises'

const options = {}
const operands = []
for (const arg of process.argv.slice(2)) {
  const option = /^-(type|timeout|retry)=(.+)$/.exec(arg)
  if (option) options[option[1]] = option[2]
  else operands.push(arg)
}
const [name = '', server = '127.0.0.1'] = operands
const shown = name.replace(/\.$/, '')
const resolver = new Resolver({ timeout: Number(options.timeout ?? 5) * 1000, tries: Number(options.retry ?? 2) })
resolver.setServers([server])
try {
  const addresses = options.type === 'aaaa' ? await resolver.resolve6(name) : await resolver.resolve4(name)
  console.log(`Server:\t\t${server}\nAddress:\t${server}:53\n\nNon-authoritative answer:`)
  for (const address of addresses) console.log(`Name:\t${shown}\nAddress: ${address}`)
} catch ({ code, message }) {
  const outcome = { ENOTFOUND: 'NXDOMAIN', ESERVFAIL: 'SERVFAIL', EREFUSED: 'REFUSED', EFORMERR: 'FORMERR', ENOTIMP: 'NOTIMP' }[code]
  console.log(`Server:\t\t${server}\nAddress:\t${server}:53\n`)
  if (code === 'ENODATA') process.exit(0)
  if (outcome) console.log(`** server can't find ${shown}: ${outcome}`)
  else if (code === 'ECONNREFUSED')
    console.log(`nslookup: write to '${server}': Connection refused\n;; connection timed out; no servers could be reached`)
  else console.log(code === 'ETIMEOUT' ? ';; connection timed out; no servers could be reached' : `nslookup: ${message}`)
  process.exit(1)
}
