import { spawn } from 'node:child_process'

// Reads which groups live; when the other end is gone, however that happened, kills those that still do.
const script = `live=''
trap '' INT TERM HUP
while read -r event group; do
  others=''
  for one in $live; do [ "$one" = "$group" ] || others="$others $one"; done
  live=$others
  [ "$event" = ended ] || live="$live $group"
done
for one in $live; do kill -KILL -- "-$one" 2>/dev/null; done
`

/** No container outlives this process, even one that is killed: a shell waits for that, and ends their process groups. */
export class Lifeline {
  readonly #shell = spawn('/bin/sh', ['-c', script], { stdio: ['pipe', 'ignore', 'ignore'], detached: true })

  constructor() {
    this.#shell.unref()
    this.#shell.stdin.on('error', () => {})
  }

  started(group: number): void {
    this.#shell.stdin.write(`started ${group}\n`)
  }

  ended(group: number): void {
    this.#shell.stdin.write(`ended ${group}\n`)
  }

  close(): void {
    this.#shell.stdin.end()
  }
}
