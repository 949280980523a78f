import type { Finding } from '../../src/diagnosis/diagnosis.ts'

/** An error of the evidence, whose title is its id. */
export const finding = (id: string, more: Partial<Finding> = {}): Finding => ({
  id,
  check: id.split('/')[0] ?? '',
  severity: 'error',
  title: id,
  source: 'evidence',
  ...more,
})

/** The same, seen from inside the pod. */
export const inside = (id: string, more: Partial<Finding> = {}): Finding => finding(id, { source: 'container', ...more })
