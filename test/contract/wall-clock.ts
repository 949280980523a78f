export { realClock as wallClock } from '../../src/hosts/parts.ts'
