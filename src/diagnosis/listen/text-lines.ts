/**
 * Text inside an artifact: its bytes come in pieces that end anywhere, also inside a character. Gives whole lines, holds the
 * unfinished one up to 64 KiB and drops it with a mark beyond.
 */
export class TextLines {
  private held = ''
  private overlong = false
  private decoder = new TextDecoder('utf-8', { fatal: false, ignoreBOM: true })
  private bytesOpen = false

  get neutral(): boolean {
    return this.held === '' && !this.overlong && !this.bytesOpen
  }

  push(bytes: Uint8Array): string {
    const text = this.held + this.decoder.decode(bytes, { stream: true })
    const last = bytes.at(-1)
    this.bytesOpen = last !== undefined && last >= 0x80
    const newline = text.lastIndexOf('\n')
    let out = newline < 0 ? '' : text.slice(0, newline + 1)
    this.held = text.slice(newline + 1)
    if (this.overlong) {
      const first = out.indexOf('\n')
      if (first < 0) {
        this.held = ''
        return ''
      }
      this.overlong = false
      out = mark + out.slice(first)
    }
    if (this.held.length > maxHeld) {
      this.held = ''
      this.overlong = true
    }
    return out
  }

  flush(): string {
    const out = this.overlong ? mark : this.held + this.decoder.decode()
    this.held = ''
    this.overlong = false
    this.bytesOpen = false
    return out
  }
}

const maxHeld = 65_536
const mark = '[autodiagnose: a line of more than 65536 characters was dropped]'
