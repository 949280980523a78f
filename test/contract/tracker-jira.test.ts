import { jira } from '../../src/ports/tracker/jira.ts'
import { email, type JiraFakeOptions, jiraFake, token } from './jira-fake.ts'
import { person, readable, statuses } from './jira-fake-state.ts'
import { type TrackerAbility, type TrackerUnderTest, trackerContract } from './tracker.ts'

const words = { type: 'paragraph', content: [{ type: 'text', text: '' }] }

/** The body with words of a person before it. */
function withWords(body: unknown, added: string): unknown {
  if (typeof body === 'string') return `${added}\r\n\r\n${body.replaceAll('\n', '\r\n')}`
  const document = body as { content: unknown[] }
  return { ...document, content: [{ ...words, content: [{ type: 'text', text: added }] }, ...document.content] }
}

function underTest(options: JiraFakeOptions, indexDelay: number) {
  return async (): Promise<TrackerUnderTest> => {
    const fake = jiraFake(options)
    const { state, site } = fake
    state.indexDelay = indexDelay
    const account = options.cloud ? { email, token } : { token }
    const make = () => jira({ url: site, ...account, fetch: fake.fetch, clock: { now: Date.now }, requestTimeoutMs: 1000 })
    const issue = { project: 'OPS', summary: 'Made up', description: options.cloud ? words : '', labels: [], typeId: '10004', creator: person }
    return {
      tracker: make(),
      another: make,
      newIssue: async () => state.add(issue).key,
      notesOf: async (key) => state.get(key).comments.map(({ id, body }) => ({ id, text: readable(body) })),
      writes: fake.writes,
      missingKey: 'OPS-999999',
      impossibleKey: 'OPS-12/../OPS-13',
      urlOf: (key) => `${site}/browse/${key}?filter=-1#descriptionmodule`,
      failNext: fake.failNext,
      deleteNote: async (key, id) => {
        const { comments } = state.get(key)
        comments.splice(
          comments.findIndex((comment) => comment.id === id),
          1,
        )
      },
      editNote: async (key, id, added) => {
        const comment = state.get(key).comments.find((each) => each.id === id)
        if (comment) Object.assign(comment, { body: withWords(comment.body, added), updateAuthor: person })
      },
      project: 'OPS',
      impossibleProject: 'ops/1',
      missingProject: 'NONE',
      issuesOf: async (project) =>
        state.issues
          .filter((each) => each.project === project)
          .map((each) => ({ ...each, title: each.summary, text: readable(each.description), open: statuses[each.status] !== 'done' })),
      closeIssue: async (key) => void Object.assign(state.get(key), { status: 'Done' }),
      // As Jira clones an issue: with its labels.
      quoteIssue: async (key) => state.add({ ...issue, description: state.get(key).description, labels: state.get(key).labels }).key,
      deleteIssue: async (key) => state.remove(key),
      editIssue: async (key, added) => void Object.assign(state.get(key), { description: withWords(state.get(key).description, added) }),
      close: async () => {
        if (fake.complaints.length > 0) throw new Error(`Not as Atlassian describes it:\n${[...new Set(fake.complaints)].join('\n')}`)
      },
    }
  }
}

const reading: TrackerAbility[] = ['missing', 'urls', 'faults', 'deleting', 'editing', 'issues']
const all: TrackerAbility[] = ['updating', 'processes', ...reading]
trackerContract('jira cloud', all, underTest({ cloud: true }, 6))
trackerContract('jira server', all, underTest({ cloud: false }, 0))
trackerContract('jira cloud without the right to edit', reading, underTest({ cloud: true, may: { edit: false, delete: false, link: false } }, 6))
trackerContract('jira server without the right to edit', reading, underTest({ cloud: false, may: { edit: false, delete: false, link: false } }, 0))
