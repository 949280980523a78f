/** Does what a key of the configuration asks for at start; what goes wrong there is told with the key and its value. */
export async function withKey<T>(key: string, value: string, does: () => T | Promise<T>): Promise<T> {
  try {
    return await does()
  } catch (cause) {
    throw new Error(`Cannot start with ${key} "${value}": ${cause instanceof Error ? cause.message : String(cause)}`, { cause })
  }
}
