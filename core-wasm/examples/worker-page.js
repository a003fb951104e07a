// A page whose worker computes risk hashes.
const worker = new Worker(new URL('./worker.js', import.meta.url), { type: 'module' })
worker.addEventListener('message', ({ data }) => {
  document.querySelector('output').textContent = `${data.count} risk points, ${data.hashes.length} bytes of hashes`
})
worker.postMessage([
  { lat: 51.5007, lng: -0.1246, at: 1_760_000_000_000 },
  { lat: 51.50071, lng: -0.12461, at: 1_760_000_300_000 },
])
