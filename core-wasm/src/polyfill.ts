/**
 * Two globals that libp2p 3 expects and that Node 20 and phones of 2023 lack: `Promise.withResolvers` and, in Node, a
 * `WebSocket`. Call both functions before libp2p loads. Without these globals each dial ends in a reset without a cause.
 */

interface Resolvers<T> {
  promise: Promise<T>
  resolve: (value: T | PromiseLike<T>) => void
  reject: (reason?: unknown) => void
}

/** `Promise.withResolvers` (ES2024). */
export function polyfillPromise(): void {
  if ('withResolvers' in Promise) return
  Object.defineProperty(Promise, 'withResolvers', { value: withResolvers, configurable: true, writable: true })
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

/** Sets a global `WebSocket` from the class of the package `ws`. */
export function polyfillWebSocket<S extends new (...init: never[]) => Listening>(ws: S): void {
  if (typeof globalThis.WebSocket === 'function') return
  const quiet = new Proxy(ws, {
    construct(target, init) {
      const socket = new target(...(init as never[]))
      // As in a browser, an error without a listener ends the connection and not the process.
      socket.on('error', () => {})
      return socket
    },
  })
  Object.defineProperty(globalThis, 'WebSocket', { value: quiet, configurable: true, writable: true })
}

interface Listening {
  on(event: 'error', listener: () => void): unknown
}
