// Stands in for busybox's nc, as far as the checks use it: `nc -w SECONDS HOST PORT [-e PROGRAM ARGUMENT...]`.
import { spawn } from 'node:child_process'
import { connect } from 'node:net'

const args = process.argv.slice(2)
let seconds = 0
const operands = []
let command
while (args.length > 0) {
  const arg = args.shift()
  if (arg === '-e') command = args.splice(0)
  else if (arg === '-w') seconds = Number(args.shift())
  else if (arg.startsWith('-')) fail(`the stand-in for nc does not know ${arg}`)
  else operands.push(arg)
}
const [host, port] = operands

function fail(message) {
  process.stderr.write(`nc: ${message}\n`)
  process.exit(1)
}

const words = {
  ECONNREFUSED: 'Connection refused',
  EHOSTUNREACH: 'No route to host',
  ENETUNREACH: 'Network is unreachable',
  ETIMEDOUT: 'Connection timed out',
}
// A half that is closed leaves the other one open, as with real sockets.
const socket = connect({ host, port: Number(port), allowHalfOpen: true })
const timer = seconds > 0 ? setTimeout(() => fail('timed out'), seconds * 1000) : undefined
socket.on('error', (error) => fail(`can't connect to remote host (${host}): ${words[error.code] ?? error.message}`))
socket.once('connect', () => {
  clearTimeout(timer)
  if (command) {
    const child = spawn(command[0], command.slice(1), { stdio: ['pipe', 'pipe', 'inherit'] })
    child.on('error', (error) => fail(`can't execute '${command[0]}': ${error.message}`))
    child.stdin.on('error', () => {})
    socket.pipe(child.stdin)
    child.stdout.pipe(socket)
    child.on('exit', (code) => process.exit(code ?? 1))
    process.on('SIGTERM', () => child.kill('SIGTERM'))
  } else {
    process.stdin.pipe(socket)
    socket.pipe(process.stdout)
    socket.once('end', () => process.exit(0))
  }
})
