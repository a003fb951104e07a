/** The web app of the demo: the built files of @geotrace/client, with this federation's manifest and a visitor's hours. */
import { existsSync } from 'node:fs'
import { dirname } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { Manifest } from '@geotrace/core-wasm/wire'
import { startWebServer, type WebServer } from '../../local/web-server.ts'

export interface DemoWebInit {
  manifest: Manifest
  /** GeoJSON of hours that a visitor may take over. */
  visitor: object
  /** 0: any free one. */
  port: number
}

/** Undefined where the app was not built: the packages alone, without the repository. */
export async function startDemoWeb({ manifest, visitor, port }: DemoWebInit): Promise<WebServer | undefined> {
  const page = fileURLToPath(import.meta.resolve('@geotrace/client/app/index.html'))
  if (!existsSync(page)) return undefined
  const documents = { '/federation.json': manifest, '/demo-track.geojson': visitor }
  return startWebServer({ folder: dirname(page), documents, port })
}
