/**
 * tsconfig.worker.json knows nothing of Node and of browsers, or this would not compile: each line is an error there. So the core, which
 * it checks with all that the Worker imports, has only what both hosts have. (The types of Workers have `process` and `Buffer` as any:
 * these, test/architecture.test.ts refuses.)
 */

// @ts-expect-error
export const moduleOfNode = import('node:fs')
// @ts-expect-error
export const typeOfNode: NodeJS.Timeout | undefined = undefined
// @ts-expect-error
export const ofBrowsers = document.title
