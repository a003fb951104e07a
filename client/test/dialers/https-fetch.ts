/** A `fetch` that trusts one TLS certificate. Node's own `fetch` reads its extra certificates only at the start. */
import { Agent, request } from 'node:https'
import { Readable } from 'node:stream'

export function httpsFetch(ca: string, localAddress?: string): { fetch: typeof fetch; close(): void } {
  const agent = new Agent({ keepAlive: true, ca, ...(localAddress !== undefined && { localAddress }) })
  return {
    fetch: (input, init = {}) =>
      new Promise((resolve, reject) => {
        const { method = 'GET', body, signal } = init
        const headers = Object.fromEntries(new Headers(init.headers))
        const call = request(String(input), { method, headers, agent, ...(signal && { signal }) }, (response) => {
          const status = response.statusCode!
          resolve(new Response(Readable.toWeb(response) as ReadableStream, { status }))
        })
        call.once('error', reject)
        call.end(body as Uint8Array | undefined)
      }),
    close: () => agent.destroy(),
  }
}
