import { accessSync, constants } from 'node:fs'
import { delimiter, join } from 'node:path'
import { beforeEach } from 'vitest'

/** Programs that some tests run and npm does not bring: the names under which one is found, and how to get it. */
const parts = {
  chromium: { names: ['chromium', 'chromium-browser', 'google-chrome'], get: 'Chromium: apt-get install chromium' },
  busybox: { names: ['busybox'], get: 'a static busybox: apt-get install busybox-static' },
  gcc: { names: ['gcc'], get: 'a C compiler: apt-get install gcc libc6-dev' },
  gdb: { names: ['gdb'], get: 'gdb: apt-get install gdb' },
  go: { names: ['go'], get: 'Go 1.24 or newer' },
  nsenter: { names: ['nsenter'], get: 'nsenter: apt-get install util-linux' },
  unshare: { names: ['unshare'], get: 'unshare: apt-get install util-linux' },
  kubectl: { names: ['kubectl'], get: 'kubectl: https://kubernetes.io/docs/tasks/tools/' },
  python3: { names: ['python3'], get: 'Python: apt-get install python3' },
  perl: { names: ['perl'], get: 'perl: apt-get install perl-base' },
} as const

export type Part = keyof typeof parts

/** The path of a part, or undefined where this machine has none. */
function findPart(part: Part): string | undefined {
  for (const name of parts[part].names) {
    for (const directory of (process.env.PATH ?? '').split(delimiter)) {
      const path = join(directory, name)
      try {
        accessSync(path, constants.X_OK)
        return path
      } catch {
        // Not here: look in the next directory.
      }
    }
  }
  return undefined
}

/**
 * For the top of a file or a `describe` block: its tests are skipped where the part is missing, and the report at the end says
 * how to get it. Returns the part's path; '' where it is missing.
 */
export function needs(part: Part): string {
  const path = findPart(part)
  beforeEach((context) => {
    if (path === undefined) context.skip(`needs ${parts[part].get}`)
  })
  return path ?? ''
}
