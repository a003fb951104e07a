/** A React app in StrictMode that records by the Capacitor example, with the hook of the examples, on IndexedDB. */
import { createTracer, levelStorage, libp2pDialer, type Tracer } from '@geotrace/client'
import { createElement, StrictMode, useEffect, useState } from 'react'
import { createRoot } from 'react-dom/client'
import { recordPositions } from '../../examples/capacitor.ts'
import { useTracer } from '../../examples/use-tracer.ts'

const federation = await (await fetch('federation.json')).text()
const opened: Tracer[] = []

async function open(wait: AbortSignal): Promise<Tracer> {
  const storage = await levelStorage('react', { wait })
  const tracer = await createTracer({ federation, storage, dialer: libp2pDialer() })
  opened.push(tracer)
  return tracer
}

function App() {
  const tracer = useTracer(open)
  const [text, setText] = useState('opening')
  useEffect(() => {
    if (tracer === undefined) return
    const stopping = recordPositions(tracer, (result) => setText(`${JSON.stringify(result)} ${opened.length} opened`))
    return () => void stopping.then((stop) => stop())
  }, [tracer])
  return createElement('p', null, text)
}

const host = document.body.appendChild(document.createElement('div'))
const root = createRoot(host)
root.render(createElement(StrictMode, null, createElement(App)))
Object.assign(globalThis, {
  /** Unmounts the app. Resolves when its storage can be opened again. */
  leave: async () => {
    root.unmount()
    const storage = await levelStorage('react', { wait: AbortSignal.timeout(20_000) })
    await storage.close()
    return 'free'
  },
})
