/** How Vite gives tests the text of files: in workerd there are no files of this machine. */
declare module '*?raw' {
  const text: string
  export default text
}

interface ImportMeta {
  /** The text of each file of the pattern, by its path from here. Pattern and options are literals: Vite puts the texts in their place. */
  glob<T>(pattern: string, options: { readonly query: '?raw'; readonly import: 'default'; readonly eager: true }): Readonly<Record<string, T>>
}
