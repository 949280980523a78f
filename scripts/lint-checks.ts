import { statSync } from 'node:fs'
import { checksDirectory, lintChecks } from './checks.ts'

// Looks at the heads of checks and at what the contract forbids: npm run check does, and npm run check:lint -- DIRECTORY for one's own.
const directories = process.argv.length > 2 ? process.argv.slice(2) : [checksDirectory]
const isDirectory = (path: string): boolean => statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false
const complaints = directories.flatMap((path) => (isDirectory(path) ? lintChecks(path) : [`${path}: there is no such directory`]))
for (const complaint of complaints) console.error(complaint)
if (complaints.length > 0) console.error('docs/contract.md has the rules; "npm run check:new NAME" writes a check to begin with')
process.exitCode = complaints.length > 0 ? 1 : 0
