/** What libp2p expects of its host and Node 20 and phones of 2023 lack. Called before libp2p is loaded. */
interface Resolvers<T> {
  promise: Promise<T>
  resolve: (value: T | PromiseLike<T>) => void
  reject: (reason?: unknown) => void
}

/** Promise.withResolvers (ES2024). */
export function polyfillPromise(): void {
  const host = Promise as PromiseConstructor & { withResolvers?: () => Resolvers<unknown> }
  host.withResolvers ??= withResolvers
}

function withResolvers<T>(this: PromiseConstructor): Resolvers<T> {
  let resolve!: Resolvers<T>['resolve']
  let reject!: Resolvers<T>['reject']
  const promise = new this<T>((a, b) => {
    resolve = a
    reject = b
  })
  return { promise, resolve, reject }
}
