import { readFileSync } from 'node:fs'
import { createContext, runInContext } from 'node:vm'
import { describe, expect, it } from 'vitest'

const SOURCE = readFileSync(new URL('../../app/src/service-worker.js', import.meta.url), 'utf8')
const ORIGIN = 'http://127.0.0.1:4100'

/** Runs the worker over caches that are plain maps: name → URL → text. */
function worker(caches: Map<string, Map<string, string>>) {
  const handlers: Record<string, (event: object) => void> = {}
  const find = (url: string, cacheName?: string): string | undefined =>
    [...caches].filter(([name]) => (cacheName ?? name) === name).flatMap(([, files]) => files.get(url) ?? [])[0]
  const context = createContext({
    self: {
      location: { origin: ORIGIN },
      addEventListener: (type: string, handle: (event: object) => void) => (handlers[type] = handle),
      clients: { claim: async () => {} },
    },
    caches: {
      keys: async () => [...caches.keys()],
      delete: async (name: string) => caches.delete(name),
      match: async ({ url }: { url: string }, { cacheName }: { cacheName?: string } = {}) => find(url, cacheName),
    },
    fetch: async ({ url }: { url: string }) => `from the network: ${url}`,
    URL,
  })
  runInContext(SOURCE.replace('__VERSION__', 'new').replace("'__FILES__'", '[]'), context)
  const dispatch = async (type: string, more: object = {}): Promise<unknown> => {
    let result: Promise<unknown> | undefined
    const take = (promise: Promise<unknown>): void => void (result = promise)
    handlers[type]!({ waitUntil: take, respondWith: take, ...more })
    return await result
  }
  return {
    activate: () => dispatch('activate'),
    get: (path: string) => dispatch('fetch', { request: { method: 'GET', mode: 'cors', url: `${ORIGIN}${path}` } }),
  }
}

const file = (path: string, text: string) => new Map([[`${ORIGIN}${path}`, text]])

describe('the service worker', () => {
  it('an update deletes older caches of the app and none of other apps on the origin', async () => {
    const caches = new Map(['geotrace-old', 'geotrace-new', 'other-app', 'workbox'].map((name) => [name, new Map()]))
    await worker(caches).activate()
    expect([...caches.keys()]).toEqual(['geotrace-new', 'other-app', 'workbox'])
  })

  it('the app gets files of its own build only, whatever other caches hold', async () => {
    const caches = new Map([
      ['other-app', file('/index.js', 'of another app')],
      ['geotrace-old', file('/gone.js', 'of an older build')],
      ['geotrace-new', file('/index.js', 'of this build')],
    ])
    const { get } = worker(caches)
    expect(await get('/index.js')).toBe('of this build')
    expect(await get('/gone.js')).toBe(`from the network: ${ORIGIN}/gone.js`)
  })
})
