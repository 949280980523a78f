/** Gives an optional part of what is tested; a test that needs one which is missing fails and names it. */
export function partOf<T extends object>(name: string, under: () => T) {
  return <K extends keyof T & string>(key: K): NonNullable<T[K]> => {
    const value = under()[key]
    if (value === undefined || value === null) throw new Error(`Cannot test tracker ${name}: its "${key}" is missing`)
    return value
  }
}
