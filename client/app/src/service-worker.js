/**
 * Keeps the app on the device so that it opens without a network. Files of a build come from the cache first. The
 * federation's manifest and the advice come from the network first and are cached. The worker handles nothing else:
 * peers are reached by WebSocket, which no service worker intercepts.
 */
const VERSION = '__VERSION__'
const FILES = '__FILES__'
/** The caches of this app. Other apps may have caches of this origin, which this worker neither reads nor deletes. */
const OWN = 'geotrace-'
const CACHE = `${OWN}${VERSION}`
/** Fetched from the network; without a network the last answer serves. */
const FRESH = ['/federation.json', '/advice.json', '/demo-track.geojson']

self.addEventListener('install', (event) => {
  event.waitUntil(
    caches
      .open(CACHE)
      .then(async (cache) => {
        await cache.addAll(FILES)
        // The first visit loaded these before this worker ran; a federation may lack some of them.
        await Promise.allSettled(FRESH.map((path) => cache.add(path)))
      })
      .then(() => self.skipWaiting()),
  )
})

self.addEventListener('activate', (event) => {
  event.waitUntil(
    caches
      .keys()
      .then((names) => names.filter((name) => name.startsWith(OWN) && name !== CACHE))
      .then((old) => Promise.all(old.map((name) => caches.delete(name))))
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

// A notification opens the exposures, in the page that is open or in a new one.
self.addEventListener('notificationclick', (event) => {
  event.notification.close()
  event.waitUntil(
    self.clients.matchAll({ type: 'window', includeUncontrolled: true }).then(async ([page]) => {
      if (page === undefined) return self.clients.openWindow('/#/exposures')
      await page.focus()
      return page.navigate('/#/exposures')
    }),
  )
})

async function cacheFirst(request) {
  return (await caches.match(request, { cacheName: CACHE })) ?? fetch(request)
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
