/**
 * Keeps the app on the device so that it opens without a network. Files of a build are taken from the cache first; the
 * manifest of the federation and the advice are asked for and remembered. Nothing else is touched: peers are reached by
 * WebSocket, which no service worker sees.
 */
const VERSION = '__VERSION__'
const FILES = '__FILES__'
const CACHE = `geotrace-${VERSION}`
/** Asked for anew; the last answer serves without a network. */
const FRESH = ['/federation.json', '/advice.json', '/demo-track.geojson']

self.addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then(async (cache) => {
        await cache.addAll(FILES)
        // The first visit read these before this worker was there; not every federation has all of them.
        await Promise.allSettled(FRESH.map((path) => cache.add(path)))
      })
      .then(() => self.skipWaiting()),
  )
})

self.addEventListener('activate', (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => Promise.all(names.filter((name) => name !== CACHE).map((name) => caches.delete(name))))
      .then(() => self.clients.claim()),
  )
})

self.addEventListener('fetch', (event) => {
  const { request } = event
  const url = new URL(request.url)
  if (request.method !== 'GET' || url.origin !== self.location.origin) return
  if (FRESH.includes(url.pathname)) event.respondWith(freshFirst(request))
  else event.respondWith(cacheFirst(request.mode === 'navigate' ? new Request('/') : request))
})

async function cacheFirst(request) {
  return (await caches.match(request)) ?? fetch(request)
}

async function freshFirst(request) {
  const cache = await caches.open(CACHE)
  try {
    const response = await fetch(request)
    if (response.ok) await cache.put(request, response.clone())
    return response
  } catch (error) {
    const kept = await cache.match(request)
    if (kept !== undefined) return kept
    throw error
  }
}
