/** ` (did you mean "x"?)` for the candidate that is a slip or two away; '' without one. */
export function didYouMean(word: string, candidates: readonly string[]): string {
  const most = Math.min(3, Math.ceil(word.length / 3))
  const near = candidates.map((candidate) => ({ candidate, slips: distance(word.toLowerCase(), candidate.toLowerCase()) }))
  const [best] = near.filter(({ slips }) => slips <= most).sort((a, b) => a.slips - b.slips)
  return best ? ` (did you mean "${best.candidate}"?)` : ''
}

/** Letters to insert, delete, replace or swap with their neighbour: https://en.wikipedia.org/wiki/Damerau–Levenshtein_distance */
function distance(a: string, b: string): number {
  let before: number[] = []
  let last = Array.from({ length: b.length + 1 }, (_, n) => n)
  for (let i = 1; i <= a.length; i++) {
    const row = [i]
    for (let j = 1; j <= b.length; j++) {
      const same = a[i - 1] === b[j - 1] ? 0 : 1
      let least = Math.min((last[j] ?? 0) + 1, (row[j - 1] ?? 0) + 1, (last[j - 1] ?? 0) + same)
      if (i > 1 && j > 1 && a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1]) least = Math.min(least, (before[j - 2] ?? 0) + 1)
      row.push(least)
    }
    before = last
    last = row
  }
  return last[b.length] ?? 0
}
