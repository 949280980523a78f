/** Fields of the form above a list. */

export function Choice({ name, label, among, value }: { name: string; label: string; among: readonly string[]; value: string | undefined }) {
  return (
    <label>
      {label}
      <select name={name}>
        <option value="">any</option>
        {among.map((one) => (
          <option value={one} selected={one === value}>
            {one}
          </option>
        ))}
      </select>
    </label>
  )
}

export function Text({ name, label, value }: { name: string; label: string; value: string | undefined }) {
  return (
    <label>
      {label}
      <input name={name} value={value ?? ''} autocapitalize="none" autocomplete="off" spellcheck={false} />
    </label>
  )
}
