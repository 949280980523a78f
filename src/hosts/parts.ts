import type { Config, SecretRef } from '../config.ts'
import type { Clock, Log, Step } from '../deps.ts'
import type { Redactor } from '../diagnosis/redact/redactor.ts'
import type { S3StoreOptions } from '../ports/store/s3.ts'
import { github } from '../ports/tracker/github.ts'
import type { GitHubAuth } from '../ports/tracker/github-api.ts'
import { gitlab } from '../ports/tracker/gitlab.ts'
import { jira } from '../ports/tracker/jira.ts'
import { redmine } from '../ports/tracker/redmine.ts'
import { standardWebhook } from '../ports/tracker/standard-webhook.ts'
import type { Tracker } from '../ports/tracker/tracker.ts'

/** The parts of the outside world that all hosts have: on Web APIs alone. */

export type SecretOf = (ref: SecretRef) => string

export const realClock: Clock = {
  now: () => Date.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve()
      const done = () => {
        clearTimeout(timer)
        signal?.removeEventListener('abort', done)
        resolve()
      }
      const timer = setTimeout(done, ms)
      signal?.addEventListener('abort', done, { once: true })
    }),
}

/** The log with its secrets taken out: errors of the API server, of the store and of trackers quote what they were sent. */
export function redactedLog(log: Log, redactor: Redactor): Log {
  return (level, message, data) => {
    const { value } = redactor.json('service.log', { message, data })
    log(level, value.message, value.data)
  }
}

/** So much of an error is kept by the engine, which shows it to whoever may see its runs. */
const maxErrorLength = 1000

/** Steps whose errors, which the engine keeps, have their secrets taken out. */
export function redactedStep(step: Step, redactor: Redactor): Step {
  return {
    run: (name, effect) =>
      step.run(name, async () => {
        try {
          return await effect()
        } catch (error) {
          const { text } = redactor.text('error', error instanceof Error ? `${error.name}: ${error.message}` : String(error))
          // Not as the cause of the new one: that would be kept, too.
          throw new Error(text.slice(0, maxErrorLength))
        }
      }),
    sleep: (name, ms) => step.sleep(name, ms),
  }
}

type S3Config = Extract<Config['store'], { kind: 's3' }>

export function s3Options(
  { region, bucket, prefix, forcePathStyle, endpoint, accessKeyId, secretAccessKey }: S3Config,
  secret: SecretOf,
): S3StoreOptions {
  return {
    region,
    bucket,
    prefix,
    forcePathStyle,
    ...(endpoint === undefined ? {} : { endpoint }),
    ...(accessKeyId && secretAccessKey ? { credentials: { accessKeyId: secret(accessKeyId), secretAccessKey: secret(secretAccessKey) } } : {}),
  }
}

type TrackerConfig = Config['trackers'][string]

/** The trackers by name. `local`: how the host makes one in a directory. */
export function realTrackers(config: Config, secret: SecretOf, local: (directory: string) => Tracker): Map<string, Tracker> {
  const http = { fetch: (request: Request) => fetch(request), clock: realClock }
  const make = (tracker: TrackerConfig): Tracker => {
    switch (tracker.kind) {
      case 'github':
        return github({ ...http, url: tracker.url, auth: githubAuth(tracker, secret) })
      case 'gitlab':
        return gitlab({ ...http, url: tracker.url, token: secret(tracker.token) })
      case 'jira': {
        const { url, email, api, token } = tracker
        return jira({ ...http, url, ...(email === undefined ? {} : { email }), ...(api === undefined ? {} : { api }), token: secret(token) })
      }
      case 'redmine':
        return redmine({ ...http, url: tracker.url, apiKey: secret(tracker.apiKey) })
      case 'standard-webhook':
        return standardWebhook({ ...http, url: tracker.url, secret: secret(tracker.secret) })
      case 'local':
        return local(tracker.directory)
    }
  }
  const named = ([name, tracker]: [string, TrackerConfig]): [string, Tracker] => {
    try {
      return [name, make(tracker)]
    } catch (cause) {
      throw new Error(`trackers.${name}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
    }
  }
  return new Map(Object.entries(config.trackers).map(named))
}

function githubAuth({ token, app }: Extract<TrackerConfig, { kind: 'github' }>, secret: SecretOf): GitHubAuth {
  if (token && !app) return { token: secret(token) }
  if (app && !token) return { ...app, privateKey: secret(app.privateKey) }
  throw new Error('expected token or app, and not both')
}
