const alphabet = '0123456789abcdefghjkmnpqrstvwxyz'

/** What an id of a diagnosis looks like. */
export const idPattern = /^ad-[0-9a-hjkmnp-tv-z]{20}$/

/** What an id of something that a webhook delivered looks like. */
export const alertIdPattern = /^al-[0-9a-hjkmnp-tv-z]{20}$/

/**
 * A new id: `ad-` (a diagnosis) or `al-` (an alert), 10 characters of time and 10 of chance in lower-case Crockford base32 (https://www.crockford.com/base32.html),
 * so that ids sort by their time and fit in the name of a container. `now` is in milliseconds since the epoch.
 */
export function makeId(now: number, prefix: 'ad' | 'al' = 'ad'): string {
  let time = ''
  for (let rest = now; time.length < 10; rest = Math.floor(rest / 32)) time = `${alphabet[rest % 32]}${time}`
  const chance = crypto.getRandomValues(new Uint8Array(10))
  return `${prefix}-${time}${Array.from(chance, (byte) => alphabet[byte % 32]).join('')}`
}
