/** As much of Node's EventEmitter as tap-parser's types need. */
export declare class EventEmitter {
  on(event: string, listener: (...args: never[]) => void): this
}
