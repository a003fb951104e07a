// The golden digest in a page or in its worker: ?thread=main|worker&build=simd|scalar&source=inline|url&fixes=N.
import { digestOf } from './golden-case.js'

const wanted = Object.fromEntries(new URLSearchParams(location.search))
const show = (text) => document.querySelector('output').append(text)
if (wanted.thread === 'worker') {
  const worker = new Worker(new URL('./golden-worker.js', import.meta.url), { type: 'module' })
  worker.addEventListener('message', ({ data }) => show(data))
  worker.postMessage(wanted)
} else {
  show(await digestOf(wanted))
}
