/** Modules that vite.config.ts makes at build. */
declare module 'virtual:cities' {
  import type { NamedCity } from './map/places.ts'

  const cities: readonly NamedCity[]
  export default cities
}
declare module 'virtual:coarse-land' {
  import type { Topology } from 'topojson-specification'

  const atlas: Topology
  export default atlas
}

/** Given by the native shell, client/native/src/shell.ts. Undefined in a browser. */
declare var geotraceShell: { storageKey(name: string): Promise<CryptoKey> } | undefined
