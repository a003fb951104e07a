/** Serves the built web app of @geotrace/client with the demo's manifest and the hours of a simulated visitor. */
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Manifest } from '@geotrace/core-wasm/wire'
import { startWebServer, type WebServer } from '../../local/web-server.ts'

interface DemoWebInit {
  manifest: Manifest
  /** GeoJSON of the hours that a visitor may take over. */
  visitor: object
  /** Any free port is taken when this one is not free. */
  port: number
}

/** Undefined when the app is not built, as in a package outside the repository. */
export async function startDemoWeb({ manifest, visitor, port }: DemoWebInit): Promise<WebServer | undefined> {
  const page = fileURLToPath(import.meta.resolve('@geotrace/client/app/index.html'))
  if (!existsSync(page)) return undefined
  const documents = { '/federation.json': manifest, '/demo-track.geojson': visitor }
  const folder = dirname(page)
  return await startWebServer({ folder, documents, port }).catch((error) => {
    if ((error as { code?: string }).code === 'EADDRINUSE') return startWebServer({ folder, documents, port: 0 })
    throw error
  })
}
