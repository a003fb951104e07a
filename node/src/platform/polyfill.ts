/**
 * What libp2p 3 expects of the host and Node 20 lacks: `Promise.withResolvers` and a global `WebSocket`.
 * Imported first by every entry; without it each dial on Node 20 ends in a reset that names no cause.
 */
import { WebSocket } from 'ws'

interface Resolvers<T> {
  promise: Promise<T>
  resolve: (value: T | PromiseLike<T>) => void
  reject: (reason?: unknown) => void
}

function withResolvers<T>(this: PromiseConstructor): Resolvers<T> {
  let resolve!: Resolvers<T>['resolve']
  let reject!: Resolvers<T>['reject']
  const promise = new this<T>((yes, no) => {
    resolve = yes
    reject = no
  })
  return { promise, resolve, reject }
}

if (!('withResolvers' in Promise)) {
  Object.defineProperty(Promise, 'withResolvers', { value: withResolvers, configurable: true, writable: true })
}
/** As in a browser, an error that nobody listens for is no more than the end of the connection. */
class QuietWebSocket extends WebSocket {
  constructor(...init: ConstructorParameters<typeof WebSocket>) {
    super(...init)
    this.on('error', () => {})
  }
}

if (typeof globalThis.WebSocket !== 'function') {
  Object.defineProperty(globalThis, 'WebSocket', { value: QuietWebSocket, configurable: true, writable: true })
}
